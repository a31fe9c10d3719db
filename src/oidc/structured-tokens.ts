import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import type { OidcDomains } from './domains.ts';
import { revokedUntil } from './ended-tokens.ts';
import { describeJwt, jwtIsLive, mayIntrospect } from './introspection.ts';
import type { createAccessTokenVerifier, VerifiedAccessToken } from './jwt-access-token.ts';

type Verify = ReturnType<typeof createAccessTokenVerifier>;

const isRefusedJwt = (ctx: KoaContextWithOIDC): boolean =>
  ctx.status === 400 && (ctx.body as { error?: unknown } | undefined)?.error === 'unsupported_token_type';

/** What RFC 7662 says of this JWT to this client. */
async function introspect(
  domains: OidcDomains,
  provider: Provider,
  asker: Client,
  claims: VerifiedAccessToken | undefined,
): Promise<Record<string, unknown>> {
  if (!claims || !mayIntrospect(asker, { clientId: claims.client_id, audience: claims.aud })) return { active: false };
  const grantExists = async (id: string): Promise<boolean> => (await provider.Grant.find(id)) !== undefined;
  return (await jwtIsLive(domains, claims, grantExists)) ? describeJwt(claims) : { active: false };
}

async function revoke(domains: OidcDomains, asker: Client, claims: VerifiedAccessToken | undefined): Promise<void> {
  if (!claims || claims.client_id !== asker.id) return;
  await domains.revocations.revoke({
    kind: 'token',
    id: claims.jti,
    expiresAt: revokedUntil(claims.exp),
    reason: 'revoked by its client',
    by: { kind: 'client', id: asker.id },
  });
}

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
    if (!asker || typeof token !== 'string') return;

    const claims = await verify(token);
    const body = route === 'introspection' ? await introspect(domains, provider, asker, claims) : '';
    if (route === 'revocation') await revoke(domains, asker, claims);
    ctx.remove('www-authenticate');
    ctx.status = 200;
    ctx.body = body;
  };
