import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { OidcDomains } from './domains.ts';
import { describeJwt, jwtIsLive, mayIntrospect } from './introspection.ts';
import { type createAccessTokenVerifier, looksLikeJwt } from './jwt-access-token.ts';

type Verify = ReturnType<typeof createAccessTokenVerifier>;

const isRefusedJwt = (ctx: KoaContextWithOIDC): boolean =>
  ctx.status === 400 && (ctx.body as { error?: unknown } | undefined)?.error === 'unsupported_token_type';

/**
 * Introspection and revocation of JWT access tokens, which oidc-provider turns down with `unsupported_token_type`
 * (RFC 7009 §2.2.1). The library has authenticated the client by then; only the answer for the token is ours.
 */
export const createStructuredTokens =
  (provider: Provider, domains: OidcDomains, verify: Verify): Middleware =>
  async (koaCtx, next) => {
    await next();
    const ctx = koaCtx as unknown as KoaContextWithOIDC;
    const route = ctx.oidc?.route;
    if ((route !== 'introspection' && route !== 'revocation') || !isRefusedJwt(ctx)) return;
    const token = ctx.oidc.params?.token;
    const asker = ctx.oidc.client && (await domains.clients.find(ctx.oidc.client.clientId));
    if (!asker || typeof token !== 'string' || !looksLikeJwt(token)) return;

    const claims = await verify(token);
    ctx.remove('www-authenticate');
    ctx.status = 200;
    if (route === 'introspection') {
      ctx.body = { active: false };
      if (!claims || !mayIntrospect(asker, { clientId: claims.client_id, audience: claims.aud })) return;
      const grantExists = async (id: string): Promise<boolean> => (await provider.Grant.find(id)) !== undefined;
      if (await jwtIsLive(domains, claims, grantExists)) ctx.body = describeJwt(claims);
      return;
    }

    ctx.body = '';
    if (!claims || claims.client_id !== asker.id) return;
    await domains.revocations.revoke({
      kind: 'token',
      id: claims.jti,
      expiresAt: claims.exp * 1000,
      reason: 'revoked by its client',
      by: { kind: 'client', id: asker.id },
    });
  };
