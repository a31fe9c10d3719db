/**
 * What can be revoked. An account or client stands for every token that it was issued before the revocation, a session
 * for every sign-in of that browser before it, `access` for every grant that an account gave an app before it: its id is
 * made by {@link accessId}.
 */
export type RevocationKind = 'token' | 'grant' | 'account' | 'client' | 'session' | 'access';

/** The id of what an account lets an app do. Neither id has a space in it. */
export const accessId = (accountId: string, clientId: string): string => `${accountId} ${clientId}`;

/** What to look up: an id as it is in the token. */
export interface RevocationCheck {
  readonly kind: RevocationKind;
  readonly id: string;
  /**
   * When the token was issued, in milliseconds (`iat` × 1000). With it, tokens that were issued after the revocation
   * stay good. Without it, any revocation counts.
   */
  readonly issuedAt?: number | undefined;
}

/** A revocation at rest. */
export interface StoredRevocation {
  readonly kind: RevocationKind;
  /** SHA-256 of the id, base64url: an opaque token's id is the token. */
  readonly idHash: string;
  /** Milliseconds since the epoch, as `expiresAt`. */
  readonly revokedAt: number;
  /** When the last token that it concerns has expired anyway. */
  readonly expiresAt: number;
}

/** Whether this revocation is about a token of that age. `iat` is in whole seconds, so a tie counts as revoked. */
export const concerns = (
  revocation: Pick<StoredRevocation, 'revokedAt' | 'expiresAt'>,
  issuedAt: number | undefined,
  now: number,
): boolean => revocation.expiresAt > now && (issuedAt === undefined || issuedAt <= revocation.revokedAt);
