import type { AccessToken, ClientCredentials, Provider } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import type { OidcDomains } from './domains.ts';
import { jwtIsLive, subjectIsLive } from './introspection.ts';
import { type createAccessTokenVerifier, looksLikeJwt, type VerifiedAccessToken } from './jwt-access-token.ts';
import { ancestor, isOfAccount, type Lineage, lineageOf } from './token-exchange-lineage.ts';

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

/** The accounts and apps behind a token, so that what is made from it ends when they do. */
const peopleOf = (clientId: string, accountId: string | undefined): Lineage => [
  ancestor('client', clientId),
  ...(accountId === undefined ? [] : [ancestor('account', accountId)]),
];

function fromJwt(token: VerifiedAccessToken): PresentedToken {
  const { client_id: clientId, sub = clientId, aud, scope, exp, grant_id: grantId, jti, cnf } = token;
  const accountId = grantId !== undefined || isOfAccount(token, sub) ? sub : undefined;
  const jkt = (cnf as { jkt?: unknown } | undefined)?.jkt;
  return {
    clientId,
    sub,
    audiences: listOf(aud),
    scopes: scopesOf(scope),
    exp,
    claims: token,
    lineage: [...new Set([...lineageOf(token), ...peopleOf(clientId, accountId), ancestor('token', jti)])],
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
  return {
    clientId,
    sub: person?.accountId ?? clientId,
    audiences: listOf(aud as string | string[] | undefined),
    scopes: scopesOf(scope),
    exp,
    claims: (token as { extra?: Record<string, unknown> }).extra ?? {},
    // The id of an opaque token is the token, so it stands in no claim; its grant, person and app do.
    lineage: peopleOf(clientId, person?.accountId),
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
