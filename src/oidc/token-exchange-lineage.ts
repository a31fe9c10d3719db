import type { AccessToken, ClientCredentials, KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import type { RevocationCheck } from '../revocation/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';

/**
 * What a token was made from, beside its grant: it ends when any of them does. Entries read `token:<jti>`,
 * `opaque:<SHA-256 of the token>`, `client:<id>`, `account:<id>`, `api:<identifier>`, `key:<id>.<mark of its text>` (`key:<id>`
 * in tokens from before marks), and `since:<seconds>` for when the oldest of those tokens was issued; the private claim
 * `lineage` has them.
 */
export type Lineage = readonly string[];

const kinds = ['token', 'opaque', 'client', 'account', 'api', 'key', 'since'] as const;
type Kind = (typeof kinds)[number];

/** Makes an entry. */
export const ancestor = (kind: Kind, id: string): string => `${kind}:${id}`;

/** The entry for an API key, by the text that was shown of it: after a rotation that text may be over, and its key not. */
export const keyAncestor = (id: string, mark: string): string => ancestor('key', `${id}.${mark}`);

/** The lineage in the claims of a token; none for one that was not made from another. */
export function lineageOf(claims: Readonly<Record<string, unknown>>): Lineage {
  const { lineage } = claims;
  return Array.isArray(lineage) ? lineage.filter((entry) => typeof entry === 'string') : [];
}

/** When the oldest token that this one was made from was issued, or it itself; seconds since the epoch. */
export function lineageSince(lineage: Lineage, issuedAt = 0): number {
  const moments = lineage.flatMap((entry) => (entry.startsWith('since:') ? [Number(entry.slice(6))] : []));
  return Math.min(issuedAt, ...moments.filter(Number.isFinite));
}

/** The lineage of what is made from a token that has `before` itself: with its id, its people and what it was for. */
export const lineageAfter = (before: Lineage, own: Lineage, issuedAt: number | undefined): Lineage => [
  ...new Set([...before.filter((entry) => !entry.startsWith('since:')), ...own]),
  ancestor('since', String(lineageSince(before, issuedAt))),
];

/** Whether the token stands for this account by what it was made from. */
export const isOfAccount = (claims: Readonly<Record<string, unknown>>, id: string | undefined): boolean =>
  id !== undefined && lineageOf(claims).includes(ancestor('account', id));

/** An entry in its parts; undefined for one that nobody understands. */
export const readEntry = (entry: string): { kind: Kind; id: string } | undefined => {
  const split = entry.indexOf(':');
  const kind = kinds.find((name) => name === entry.slice(0, split));
  return kind && { kind, id: entry.slice(split + 1) };
};

type Needs = Pick<OidcDomains, 'accounts' | 'clients' | 'revocations' | 'apiKeys' | 'mayUseTokens'>;

async function isInUse({ accounts, clients, apiKeys, mayUseTokens }: Needs, kind: Kind, id: string): Promise<boolean> {
  // Of these it only counts whether they were revoked.
  if (kind === 'token' || kind === 'opaque' || kind === 'api' || kind === 'since') return true;
  if (kind === 'key') {
    const [key = '', mark] = id.split('.');
    return (await apiKeys.findLive(key, mark)) !== undefined;
  }
  if (kind === 'client') return (await clients.find(id))?.disabled === false;
  const account = await accounts.find(asAccountId(id));
  return account !== undefined && mayUseTokens(account);
}

/** Whether all that a token was made from is still good. An entry that nobody understands is not. */
export async function lineageIsLive(
  needs: Needs,
  claims: Readonly<Record<string, unknown>> & { readonly iat?: number | undefined },
): Promise<boolean> {
  const lineage = lineageOf(claims);
  if (lineage.length === 0) return true;
  // What was revoked with all that was issued until then does not live on in what was made from it afterwards.
  const issuedAt = lineageSince(lineage, claims.iat) * 1000;
  const entries = lineage.map(readEntry);
  for (const entry of entries) if (!entry || !(await isInUse(needs, entry.kind, entry.id))) return false;
  const revocable = entries.flatMap((entry): RevocationCheck[] => {
    if (!entry || entry.kind === 'key' || entry.kind === 'since') return [];
    const { kind, id } = entry;
    if (kind === 'token' || kind === 'opaque') return [{ kind: 'token', id, isHash: kind === 'opaque' }];
    return [{ kind, id, issuedAt }];
  });
  return revocable.length === 0 || !(await needs.revocations.isRevoked(revocable));
}

type ExtraClaims = (ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials) => UnknownObject | undefined;

const noted = new WeakMap<object, UnknownObject>();

/** Gives a token private claims that no request of the library's explains. */
export const noteClaims = (token: object, claims: UnknownObject): void => void noted.set(token, claims);

/** The claims of a token, with those that {@link noteClaims} was told of. */
export const withNotedClaims =
  (claims: ExtraClaims): ExtraClaims =>
  (ctx, token) => {
    const own = noted.get(token);
    const others = claims(ctx, token);
    return own || others ? { ...others, ...own } : undefined;
  };
