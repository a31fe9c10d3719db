/** Every kind of thing that can be revoked. */
export const revocationKinds = [
  'token',
  'grant',
  'account',
  'client',
  'session',
  'access',
  'api',
  'everything',
] as const;

/**
 * What can be revoked. An account or client stands for every token that it was issued before the revocation, an `api`
 * (by its identifier) for every access token that was issued for it, a session for every sign-in of that browser before
 * it, `access` for every grant that an account gave an app before it: its id is made by {@link accessId}. `everything`
 * (by {@link everythingId}) is whatever this installation issued: tokens, grants and sign-ins.
 */
export type RevocationKind = (typeof revocationKinds)[number];

/** The one id of kind `everything`. */
export const everythingId = 'everything';

/** The id of what an account lets an app do. Neither id has a space in it. */
export const accessId = (accountId: string, clientId: string): string => `${accountId} ${clientId}`;

/** What to look up: an id as it is in the token. */
export interface RevocationCheck {
  readonly kind: RevocationKind;
  readonly id: string;
  /** Whether `id` is the SHA-256 of it already, as `idHash` of a {@link StoredRevocation}. */
  readonly isHash?: boolean | undefined;
  /**
   * When the token was issued, in milliseconds (`iat` × 1000). With it, tokens that were issued after the revocation
   * stay good, and `everything` is looked up as well. Without it, any revocation counts.
   */
  readonly issuedAt?: number | undefined;
}

/** A revocation at rest. */
export interface StoredRevocation {
  readonly kind: RevocationKind;
  /** SHA-256 of the id, base64url: an opaque token's id is the token. */
  readonly idHash: string;
  /** The moment until which what was issued is revoked. Milliseconds since the epoch, as `expiresAt`. */
  readonly revokedAt: number;
  /** When the last token that it concerns has expired anyway. */
  readonly expiresAt: number;
}

/** A revocation as operators see it. */
export interface ListedRevocation extends StoredRevocation {
  readonly reason: string;
  /** `operator`, `system`, or `account:…` and `client:…` with the id. */
  readonly by: string;
  /** Where the next page begins: hand it to `after`. */
  readonly cursor: string;
}

/** Whether this revocation is about a token of that age. `iat` is in whole seconds, so a tie counts as revoked. */
export const concerns = (
  revocation: Pick<StoredRevocation, 'revokedAt' | 'expiresAt'>,
  issuedAt: number | undefined,
  now: number,
): boolean => revocation.expiresAt > now && (issuedAt === undefined || issuedAt <= revocation.revokedAt);
