import type { AccessToken, ClientCredentials, Provider } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import { sha256 } from '../shared/crypto.ts';
import type { OidcDomains } from './domains.ts';
import { jwtIsLive, subjectIsLive } from './introspection.ts';
import { type createAccessTokenVerifier, looksLikeJwt, type VerifiedAccessToken } from './jwt-access-token.ts';
import { ancestor, isOfAccount, type Lineage, lineageAfter, lineageOf } from './token-exchange-lineage.ts';

/** An access token of ours that is good now, whatever its form. */
export interface PresentedToken {
  readonly clientId: string;
  readonly sub: string;
  /** The person it stands for; undefined for one of a machine. */
  readonly accountId?: string;
  readonly audiences: readonly string[];
  readonly scopes: ReadonlySet<string>;
  /** Seconds since the epoch. */
  readonly exp: number;
  readonly grantId?: string;
  /** Thumbprint of the key that it is bound to. */
  readonly jkt?: string;
  /** Its private claims and those about the sign-in behind it. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What a token that is made from this one ends with. */
  readonly lineage: Lineage;
}

export interface FindNeeds {
  readonly provider: Provider;
  readonly domains: OidcDomains;
  readonly verify: ReturnType<typeof createAccessTokenVerifier>;
}

const listOf = (audience: string | readonly string[] | undefined): readonly string[] =>
  typeof audience === 'string' ? [audience] : (audience ?? []);

const scopesOf = (scope: string | undefined): ReadonlySet<string> =>
  new Set((scope ?? '').split(' ').filter((name) => name !== ''));

/** The account, the app and the APIs of a token, so that what is made from it ends when it ends with one of them. */
const behind = (clientId: string, accountId: string | undefined, audiences: readonly string[]): Lineage => [
  ancestor('client', clientId),
  ...(accountId === undefined ? [] : [ancestor('account', accountId)]),
  ...audiences.map((audience) => ancestor('api', audience)),
];

function fromJwt(token: VerifiedAccessToken): PresentedToken {
  const { client_id: clientId, sub = clientId, aud, scope, exp, grant_id: grantId, jti, cnf } = token;
  const accountId = grantId !== undefined || isOfAccount(token, sub) ? sub : undefined;
  const jkt = (cnf as { jkt?: unknown } | undefined)?.jkt;
  const own = [...behind(clientId, accountId, listOf(aud)), ancestor('token', jti)];
  return {
    clientId,
    sub,
    audiences: listOf(aud),
    scopes: scopesOf(scope),
    exp,
    claims: token,
    lineage: lineageAfter(lineageOf(token), own, token.iat),
    ...(accountId !== undefined && { accountId }),
    ...(grantId !== undefined && { grantId }),
    ...(typeof jkt === 'string' && { jkt }),
  };
}

async function grantIsLive({ provider, domains }: FindNeeds, token: AccessToken): Promise<boolean> {
  const { grantId, clientId, accountId } = token;
  if (grantId === undefined || (await domains.revocations.isRevoked([{ kind: 'grant', id: grantId }]))) return false;
  const grant = await provider.Grant.find(grantId);
  return grant !== undefined && grant.clientId === clientId && grant.accountId === accountId;
}

async function findOpaque(needs: FindNeeds, value: string): Promise<PresentedToken | undefined> {
  const { provider, domains } = needs;
  const person = value.startsWith('at_') ? await provider.AccessToken.find(value) : undefined;
  const machine = value.startsWith('cc_') ? await provider.ClientCredentials.find(value) : undefined;
  const token: AccessToken | ClientCredentials | undefined = person ?? machine;
  if (!token?.isValid || token.clientId === undefined || token.exp === undefined) return undefined;
  if (person && !(person.accountId !== undefined && (await grantIsLive(needs, person)))) return undefined;
  const { clientId, aud, scope, exp, iat, jkt } = token;
  if (!(await subjectIsLive(domains, person?.accountId, clientId, iat))) return undefined;
  const audiences = listOf(aud as string | string[] | undefined);
  // The id of an opaque token is the token, so only its hash stands in a claim.
  const own = [...behind(clientId, person?.accountId, audiences), ancestor('opaque', sha256(value))];
  return {
    clientId,
    sub: person?.accountId ?? clientId,
    audiences,
    scopes: scopesOf(scope),
    exp,
    claims: (token as { extra?: Record<string, unknown> }).extra ?? {},
    lineage: lineageAfter([], own, iat),
    ...(person?.accountId !== undefined && { accountId: person.accountId }),
    ...(person?.grantId !== undefined && { grantId: person.grantId }),
    ...(jkt !== undefined && { jkt }),
  };
}

/** The access token of ours behind this text, if it is good now. ID tokens, refresh tokens and foreign ones are none. */
export async function findPresented(needs: FindNeeds, value: string): Promise<PresentedToken | undefined> {
  const { provider, domains, verify } = needs;
  if (!looksLikeJwt(value)) return findOpaque(needs, value);
  const token = await verify(value);
  if (!token) return undefined;
  const grantExists = async (id: string): Promise<boolean> => (await provider.Grant.find(id)) !== undefined;
  return (await jwtIsLive(domains, token, grantExists)) ? fromJwt(token) : undefined;
}

/**
 * Whether this client may present that token: it was issued to it, or shown to it, because it is the service that the
 * token is for. Whoever picked a token up anywhere else may not (RFC 8693 §5).
 */
export const isItsBusiness = (client: Client, { clientId, audiences }: PresentedToken): boolean =>
  clientId === client.id ||
  (client.kind === 'service' && audiences.some((audience) => Object.hasOwn(client.apis, audience)));
