import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { JWKS, Provider } from 'oidc-provider';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { type BrowserSessions, createBrowserSessions } from './browser-sessions.ts';
import { createClientCredentialsEndpoint } from './client-credentials-endpoint.ts';
import { createInteractions, type Interactions } from './interactions.ts';
import { createIntrospectionEndpoint } from './introspection-endpoint.ts';
import { createAccessTokenVerifier } from './jwt-access-token.ts';
import { lostDeviceSession } from './lost-device-session.ts';
import { buildProvider, type ProviderParts } from './provider.ts';
import { createResourceServerLookup } from './resource-servers.ts';
import { createSelfPostingPages } from './self-posting-pages.ts';
import { createStructuredTokens } from './structured-tokens.ts';

/** The protocol endpoints as Koa middleware, and the ports for our pages and our API. */
export interface Oidc extends Disposable {
  /** The requests that services send all day; each makes one write at most and needs no unit of work. */
  readonly plainRequests: Middleware;
  readonly middleware: Middleware;
  readonly interactions: Interactions;
  readonly browserSessions: BrowserSessions;
  readonly accessTokens: AccessTokens;
}

/** Starts the protocol side. A change of keys builds a new provider and swaps it; requests under way finish on theirs. */
export function createOidc(parts: ProviderParts): Oidc {
  const { domains, settings } = parts;
  const verify = createAccessTokenVerifier(settings.issuer, () => domains.keys.current());

  const lookUp = createResourceServerLookup(domains, settings);

  const build = (): { provider: Provider; plain: Middleware; handle: Middleware } => {
    const provider = buildProvider(parts, { keys: [...domains.keys.current().signing] } as JWKS);
    const plain = compose([
      createIntrospectionEndpoint({ provider, domains, verify, onAnswer: parts.meter.introspected }),
      createClientCredentialsEndpoint({ provider, domains, lookUp, meter: parts.meter }),
    ]) as Middleware;
    const handle = compose([
      createStructuredTokens(provider, domains, verify),
      lostDeviceSession,
      createSelfPostingPages(parts.pages),
      ...provider.middleware,
    ]) as Middleware;
    return { provider, plain, handle };
  };

  let current = build();
  const stop = domains.keys.onChange(() => {
    current = build();
  });

  return {
    plainRequests: (ctx: Context, next) => current.plain(ctx, next),
    middleware: (ctx: Context, next) => current.handle(ctx, next),
    interactions: createInteractions(() => current.provider),
    browserSessions: createBrowserSessions(() => current.provider, domains, settings.issuer),
    accessTokens: createAccessTokens(() => current.provider, domains, verify),
    [Symbol.dispose]: stop,
  };
}
