import type { AccessToken, ClientCredentials, KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import { accessId } from '../revocation/index.ts';
import type { StatusAncestor, StatusReference, StatusSubject } from '../status-list/index.ts';
import type { OidcDomains } from './domains.ts';
import { type Lineage, lineageOf, lineageSince, readEntry } from './token-exchange-lineage.ts';

type Token = AccessToken | ClientCredentials;

/** What the status lists are for the protocol side. */
export interface StatusPort {
  enter(subject: StatusSubject): Promise<StatusReference>;
}

interface Needs {
  readonly apis: OidcDomains['apis'];
  readonly statusLists?: StatusPort;
}

interface TokenParts {
  readonly exp?: number;
  readonly expiration: number;
  readonly resourceServer?: { identifier(): string };
  readonly accountId?: string;
  readonly grantId?: string;
  readonly sessionUid?: string;
  readonly expiresWithSession?: boolean;
}

/** Everything by which this token may end early. Asked in the same breath as the library fixes `iat` and `exp`. */
function subjectOf(token: Token, api: string): StatusSubject | undefined {
  const { jti, clientId } = token;
  if (!jti || !clientId) return undefined;
  const { exp, expiration, accountId, grantId, sessionUid, expiresWithSession } = token as unknown as TokenParts;
  const iat = token.iat ?? Math.floor(Date.now() / 1000);
  return {
    ...{ jti, clientId, api, iat, grantId, accountId },
    exp: exp ?? iat + expiration,
    accessId: accountId === undefined ? undefined : accessId(accountId, clientId),
    sessionUid: expiresWithSession ? sessionUid : undefined,
  };
}

const ancestorsIn = (lineage: Lineage): StatusAncestor[] =>
  lineage.flatMap((entry) => {
    const read = readEntry(entry);
    if (!read || read.kind === 'since') return [];
    return read.kind === 'opaque' ? [{ kind: 'token', id: read.id, isHash: true }] : [{ kind: read.kind, id: read.id }];
  });

/** The same for a token that was made from others. */
function withAncestors(subject: StatusSubject, claims: Claims): StatusSubject {
  const lineage = lineageOf(claims ?? {});
  if (lineage.length === 0) return subject;
  return { ...subject, ancestors: ancestorsIn(lineage), iat: lineageSince(lineage, subject.iat) };
}

type Claims = UnknownObject | undefined;

/**
 * Gives tokens a place in a status list when their API asks for it (draft-ietf-oauth-status-list §6.2), besides the
 * `claims` that they have anyway. Every token has a place of its own, refreshed ones too (§13.2), which is stored before
 * anybody sees the token.
 */
export const withStatusClaims =
  ({ apis, statusLists }: Needs, claims: (ctx: KoaContextWithOIDC, token: Token) => Claims | Promise<Claims>) =>
  async (ctx: KoaContextWithOIDC, token: Token): Promise<Claims> => {
    const api = (token as unknown as TokenParts).resourceServer?.identifier();
    const subject = statusLists && token.format === 'jwt' && api !== undefined ? subjectOf(token, api) : undefined;
    const others = await claims(ctx, token);
    if (!statusLists || !subject || !(await apis.find(subject.api))?.statusList) return others;
    return { ...others, status: { status_list: { ...(await statusLists.enter(withAncestors(subject, others))) } } };
  };
