import { errors, type Grant, type Provider, type Client as ProviderClient, type RefreshToken } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { ArtifactPayload, Redemptions } from './artifact-store.ts';
import type { PlainAnswer } from './client-credentials-endpoint.ts';
import { createDirectRefreshGuard } from './direct-refresh.ts';
import type { OidcDomains } from './domains.ts';
import { isTakenBack } from './ended-access.ts';
import { createFindAccount } from './find-account.ts';
import type { ProtocolMeter } from './provider-events.ts';
import type { RefreshCounter } from './refresh-limit.ts';
import { makeRefreshedTokens, type RefreshSource } from './refreshed-tokens.ts';
import type { createResourceServerLookup } from './resource-servers.ts';
import { authenticateClient, type PlainRequest, readClientRequest } from './secret-request.ts';

interface Parts {
  readonly provider: Provider;
  readonly domains: OidcDomains;
  readonly redemptions: Redemptions;
  readonly refreshes: RefreshCounter;
  readonly lookUp: ReturnType<typeof createResourceServerLookup>;
  readonly meter: ProtocolMeter;
}

const names = new Set(['grant_type', 'refresh_token']);

const mayRefresh = ({ metadata }: Client): boolean =>
  metadata.grant_types.includes('refresh_token') &&
  !(metadata as { dpop_bound_access_tokens?: boolean }).dpop_bound_access_tokens;

/** A token with nothing to it that only the library knows how to handle. */
function isPlain(token: RefreshToken, client: Client): token is RefreshToken & { grantId: string; accountId: string } {
  const { claims, resource, rar, attestationJkt } = token as RefreshToken & { attestationJkt?: string };
  if (token.clientId !== client.id || token.isExpired || token.consumed || token.isSenderConstrained()) return false;
  if (rar !== undefined || attestationJkt !== undefined || Array.isArray(resource)) return false;
  return Object.keys(claims ?? {}).length === 0 && token.grantId !== undefined && token.accountId !== undefined;
}

/** The same rules as oidc-provider's for the grant of a refresh token. */
const isFor = (grant: Grant, token: RefreshToken): boolean =>
  !grant.isExpired &&
  grant.clientId === token.clientId &&
  grant.accountId === token.accountId &&
  grant.rar === undefined;

/** Whether the browser session is there that a token ends with, and still stands for the same grant. */
async function isInSession(provider: Provider, token: RefreshToken): Promise<boolean> {
  if (!token.expiresWithSession) return true;
  const session = await provider.Session.findByUid(token.sessionUid ?? '');
  return session?.accountId === token.accountId && session?.grantIdFor(token.clientId ?? '') === token.grantId;
}

/** The library's own clients; each is built once for a version of ours. */
function createClientLookup(provider: Provider): (client: Client) => Promise<ProviderClient | undefined> {
  const known = new WeakMap<Client, Promise<ProviderClient | undefined>>();
  return (client) => {
    let found = known.get(client);
    if (!found) {
      found = provider.Client.find(client.id);
      known.set(client, found);
      found.catch(() => known.delete(client));
    }
    return found;
  };
}

/**
 * The refresh grant (RFC 6749 §6) for the plain request: a refresh token that is unused, bound to nothing but its client,
 * for what it was issued for. It asks of the token what oidc-provider's own handler asks, in the same order of weight,
 * and uses the token up in the one write that stores its successors. Whatever is not plain, and every refusal, is left to
 * the library (undefined), with nothing used up.
 */
export const createRefreshEndpoint = ({ provider, domains, redemptions, refreshes, lookUp, meter }: Parts) => {
  const findAccount = createFindAccount(domains);
  const clientOf = createClientLookup(provider);
  const standingOf = createDirectRefreshGuard(domains);

  const resourceOf = async (
    { resource }: RefreshToken,
    client: Client,
  ): Promise<RefreshSource['resource'] | 'refused'> => {
    if (typeof resource !== 'string' || resource === '') return undefined;
    const info = await lookUp(undefined, resource, { clientId: client.id }).catch((error: unknown) => {
      if (error instanceof errors.InvalidTarget) return undefined;
      throw error;
    });
    return info ? new provider.ResourceServer(resource, info) : 'refused';
  };

  /** The grant, if it and all that the token depends on are as they should be. */
  const check = async (token: RefreshToken, readGrant: () => Promise<ArtifactPayload | undefined>) => {
    const sub = token.accountId ?? '';
    const [stored, inSession, account] = await Promise.all([
      readGrant(),
      isInSession(provider, token),
      findAccount(undefined as never, sub, token),
    ]);
    const grant = stored && new provider.Grant(stored as never);
    const isSound = grant && inSession && isFor(grant, token) && !isTakenBack(domains.revocations, grant);
    return isSound && account ? { grant, account } : undefined;
  };

  /** What a plain request presents, if it is one. Nothing but the token was asked of the store until here. */
  const read = async (plain: PlainRequest) => {
    const request = readClientRequest(plain, names);
    const value = request?.fields.refresh_token;
    if (!value || request?.fields.grant_type !== 'refresh_token') return undefined;
    const client = await authenticateClient(domains.clients, request);
    const found = client && mayRefresh(client) ? await redemptions.find(value) : undefined;
    const token = found && new provider.RefreshToken(found.token as never);
    return client && token && isPlain(token, client) ? { value, client, token, grant: found.grant } : undefined;
  };

  return async function refreshEndpoint(plain: PlainRequest): Promise<PlainAnswer | undefined> {
    const presented = await read(plain);
    if (!presented) return undefined;
    const { value, client, token } = presented;
    const [known, resource, standing] = await Promise.all([
      clientOf(client),
      resourceOf(token, client),
      standingOf(token, plain.from ?? {}),
    ]);
    if (!known || resource === 'refused' || standing !== 'live') return undefined;
    const [sound, wait] = await Promise.all([
      check(token, presented.grant),
      refreshes.take(`${token.accountId}:${client.id}`),
      client.firstParty || domains.consents.noteUse(asAccountId(token.accountId), client.id),
    ]);
    if (!sound || wait > 0) return undefined;

    const made = await makeRefreshedTokens(provider, { ...sound, token, client: known, resource });
    if (!(await redemptions.redeem(value, made.stored))) return undefined;
    meter.tokenIssued('refresh_token', made.format);
    return made.answer;
  };
};
