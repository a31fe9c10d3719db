import { decodeJwt } from 'jose';

/**
 * The subject of a request's `id_token_hint` (OpenID Connect Core §3.1.2.1), which alone may get an answer. The library
 * has looked at the token's signature when the request came.
 */
export function hintedSubject(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const hint = params?.id_token_hint;
  return typeof hint === 'string' ? decodeJwt(hint).sub : undefined;
}
