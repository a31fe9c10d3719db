import type { AccessToken, ClientCredentials, KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import { asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';

/**
 * What a token was made from, beside its grant: it ends when any of them does. Entries read `token:<jti>`,
 * `client:<id>`, `account:<id>` and `key:<id>`; the private claim `lineage` has them.
 */
export type Lineage = readonly string[];

const kinds = ['token', 'client', 'account', 'key'] as const;
type Kind = (typeof kinds)[number];

/** Makes an entry. */
export const ancestor = (kind: Kind, id: string): string => `${kind}:${id}`;

/** The lineage in the claims of a token; none for one that was not made from another. */
export function lineageOf(claims: Readonly<Record<string, unknown>>): Lineage {
  const { lineage } = claims;
  return Array.isArray(lineage) ? lineage.filter((entry) => typeof entry === 'string') : [];
}

/** Whether the token stands for this account by what it was made from. */
export const isOfAccount = (claims: Readonly<Record<string, unknown>>, id: string | undefined): boolean =>
  id !== undefined && lineageOf(claims).includes(ancestor('account', id));

const readEntry = (entry: string): { kind: Kind; id: string } | undefined => {
  const split = entry.indexOf(':');
  const kind = kinds.find((name) => name === entry.slice(0, split));
  return kind && { kind, id: entry.slice(split + 1) };
};

type Needs = Pick<OidcDomains, 'accounts' | 'clients' | 'revocations' | 'apiKeys' | 'mayUseTokens'>;

async function isInUse({ accounts, clients, apiKeys, mayUseTokens }: Needs, kind: Kind, id: string): Promise<boolean> {
  if (kind === 'token') return true;
  if (kind === 'key') return (await apiKeys.findLive(id)) !== undefined;
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
  const issuedAt = (claims.iat ?? 0) * 1000;
  const entries = lineage.map(readEntry);
  for (const entry of entries) if (!entry || !(await isInUse(needs, entry.kind, entry.id))) return false;
  const revocable = entries.flatMap((entry) => {
    if (!entry || entry.kind === 'key') return [];
    return [
      entry.kind === 'token' ? ({ kind: 'token', id: entry.id } as const) : { ...entry, kind: entry.kind, issuedAt },
    ];
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
