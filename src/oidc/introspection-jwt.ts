import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { epochSeconds, systemClock } from '../shared/clock.ts';
import { createTokenSigner } from '../status-list/index.ts';
import type { OidcDomains } from './domains.ts';

/** What introspection responses can be signed with; goes into the discovery document (RFC 9701 §7). */
export const introspectionSigningAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;

/** The default of `introspection_signed_response_alg` (RFC 9701 §6). */
const defaultAlgorithm = 'RS256';

const mediaType = 'application/token-introspection+jwt';

const isAnswer = (body: unknown): body is Record<string, unknown> =>
  typeof body === 'object' && body !== null && typeof (body as { active?: unknown }).active === 'boolean';

/**
 * Signs introspection responses for callers that prefer it (RFC 9701): evidence of what we said, that no proxy can alter.
 * It goes around everything that answers introspection, so what a caller may learn is decided there: whoever may not ask
 * gets a signed `active: false`, and whoever is nobody the same refusal as ever, unsigned.
 */
export function createSignedIntrospection({ keys }: Pick<OidcDomains, 'keys'>): Middleware {
  const signer = createTokenSigner(keys);
  return async function signedIntrospection(koaCtx, next) {
    await next();
    const ctx = koaCtx as unknown as KoaContextWithOIDC;
    if (ctx.oidc?.route !== 'introspection') return;
    koaCtx.vary('Accept');
    const { client } = ctx.oidc;
    const isWanted = koaCtx.accepts('application/json', mediaType) === mediaType;
    if (!isWanted || !client || ctx.status !== 200 || !isAnswer(ctx.body)) return;
    const claims = {
      iss: ctx.oidc.issuer,
      aud: client.clientId,
      iat: epochSeconds(systemClock),
      token_introspection: ctx.body,
    };
    koaCtx.body = await signer.sign(defaultAlgorithm, 'token-introspection+jwt', claims);
    koaCtx.set('Content-Type', mediaType);
  };
}
