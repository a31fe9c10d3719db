import type { CookieSignatures } from '../shared/cookie-signatures.ts';

/** What the protocol side takes from the configuration. Lives are in seconds. */
export interface OidcSettings {
  readonly issuer: string;
  readonly cookieSignatures: CookieSignatures;
  /** Whether cookies may carry `Secure` and the `__Host-` prefix: the issuer is https. */
  readonly secureCookies: boolean;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  /** Longest life of a chain of rotated refresh tokens, from the first sign-in (RFC 9700 §4.14.2). */
  readonly refreshFamilySeconds: number;
  readonly sessionSeconds: number;
  readonly interactionSeconds: number;
}
