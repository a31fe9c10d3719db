import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { JWKS, Provider } from 'oidc-provider';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { type BrowserSessions, createBrowserSessions } from './browser-sessions.ts';
import { createInteractions, type Interactions } from './interactions.ts';
import { createIntrospectionEndpoint } from './introspection-endpoint.ts';
import { createAccessTokenVerifier } from './jwt-access-token.ts';
import { lostDeviceSession } from './lost-device-session.ts';
import { buildProvider, type ProviderParts } from './provider.ts';
import { createStructuredTokens } from './structured-tokens.ts';

/** The protocol endpoints as Koa middleware, and the ports for our pages and our API. */
export interface Oidc extends Disposable {
  readonly middleware: Middleware;
  readonly interactions: Interactions;
  readonly browserSessions: BrowserSessions;
  readonly accessTokens: AccessTokens;
}

/** Starts the protocol side. A change of keys builds a new provider and swaps it; requests under way finish on theirs. */
export function createOidc(parts: ProviderParts): Oidc {
  const { domains, settings } = parts;
  const verify = createAccessTokenVerifier(settings.issuer, () => domains.keys.current());

  const build = (): { provider: Provider; handle: Middleware } => {
    const provider = buildProvider(parts, { keys: [...domains.keys.current().signing] } as JWKS);
    const handle = compose([
      createIntrospectionEndpoint({ provider, domains, verify, onAnswer: parts.meter.introspected }),
      createStructuredTokens(provider, domains, verify),
      lostDeviceSession,
      ...provider.middleware,
    ]) as Middleware;
    return { provider, handle };
  };

  let current = build();
  const stop = domains.keys.onChange(() => {
    current = build();
  });

  return {
    middleware: (ctx: Context, next) => current.handle(ctx, next),
    interactions: createInteractions(() => current.provider, domains),
    browserSessions: createBrowserSessions(() => current.provider, settings.issuer),
    accessTokens: createAccessTokens(() => current.provider, domains, verify),
    [Symbol.dispose]: stop,
  };
}
