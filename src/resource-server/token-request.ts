import type { AccessErrorCode } from './access-error.ts';
import type { ClientCertificate } from './certificate.ts';

/** What of a request decides whether its token is good. */
export interface TokenRequest {
  /** How the token was shown. Default Bearer. */
  readonly scheme?: 'Bearer' | 'DPoP';
  readonly method?: string | undefined;
  /** Absolute address, as the caller sees it. */
  readonly url?: string | undefined;
  /** The header `DPoP`. */
  readonly proof?: string | undefined;
  /** Of a TLS connection whose client proved its certificate. */
  readonly certificate?: ClientCertificate | undefined;
}

/** A request that shows a token. */
export interface AuthorizedRequest extends TokenRequest {
  readonly authorization: string | undefined;
}

/** The token of a request, or what is wrong with the header. */
export type ShownToken =
  | { readonly token: string; readonly scheme: 'Bearer' | 'DPoP' }
  | { readonly problem: Extract<AccessErrorCode, 'missing_token' | 'invalid_request'> };

/** `token68` (RFC 9110 §11.2), after a scheme that is written in either case. */
const form = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*) *$/i;

/** Reads an `Authorization` header. Tokens in addresses or forms are not looked for. */
export function readAuthorization(header: string | undefined): ShownToken {
  if (!header) return { problem: 'missing_token' };
  const [, scheme = '', token = ''] = form.exec(header) ?? [];
  if (token === '') return { problem: /^(?:bearer|dpop)\b/i.test(header) ? 'invalid_request' : 'missing_token' };
  return { token, scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer' };
}
