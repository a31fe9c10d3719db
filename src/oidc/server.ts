import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { createKeyIntrospection, createKeyTokens, type KeyTokens } from './api-key-tokens.ts';
import { type AppCodes, createAppCodes } from './app-codes.ts';
import { type BrowserSessions, createBrowserSessions } from './browser-sessions.ts';
import { refuseDeepAssertions } from './client-assertions.ts';
import { createClientCredentialsEndpoint, type PlainAnswer } from './client-credentials-endpoint.ts';
import { rememberAssertions } from './first-party-assertions.ts';
import { createFirstPartyCodes, type FirstPartyCodes } from './first-party-codes.ts';
import { createDirectRedemption } from './first-party-redemption.ts';
import { endSessionsWithTokens } from './first-party-sessions.ts';
import { createInteractions, type Interactions } from './interactions.ts';
import { createIntrospectionEndpoint, createIntrospector } from './introspection-endpoint.ts';
import { createSignedIntrospection } from './introspection-jwt.ts';
import { createAccessTokenVerifier } from './jwt-access-token.ts';
import { lostDeviceSession } from './lost-device-session.ts';
import { buildProvider, type ProviderParts } from './provider.ts';
import { createRefreshEndpoint } from './refresh-endpoint.ts';
import { refuseReplaysAlike } from './replays.ts';
import { createResourceServerLookup } from './resource-servers.ts';
import type { ResumeParts } from './resume-here.ts';
import { protocolRoutes } from './routes.ts';
import type { PlainRequest } from './secret-request.ts';
import { createSelfPostingPages } from './self-posting-pages.ts';
import { createSessionRegistry, metaOf } from './session-registry.ts';
import { createSessionStanding } from './session-standing.ts';
import { signingKeys } from './signing-keys.ts';
import { createStructuredTokens } from './structured-tokens.ts';
import { registerTokenExchange } from './token-exchange.ts';
import { createTokenQuestions, type TokenQuestions } from './token-questions.ts';

/** The protocol endpoints as Koa middleware, and the ports for our pages and our API. */
export interface Oidc extends Disposable {
  /**
   * The answer (200) to a posted form that is sent all day: a token by a secret, a refresh, an introspection. Each makes one
   * write at most and needs no unit of work. Undefined for everything else, which {@link Oidc.middleware} answers.
   */
  answerPlain(request: PlainRequest): Promise<PlainAnswer | undefined>;
  /** The same as middleware. */
  readonly plainRequests: Middleware;
  readonly middleware: Middleware;
  readonly interactions: Interactions;
  readonly browserSessions: BrowserSessions;
  readonly accessTokens: AccessTokens;
  readonly firstParty: FirstPartyCodes;
  readonly keyTokens: KeyTokens;
  /** Introspection for our other doors: gRPC and proxies. */
  readonly questions: TokenQuestions;
  /** Codes of apps that stand behind a proxy of ours. */
  readonly appCodes: AppCodes;
}

type AnswerPlain = Oidc['answerPlain'];

/** Starts the protocol side. A change of keys builds a new provider and swaps it; requests under way finish on theirs. */
export function createOidc(parts: Omit<ProviderParts, 'registry'>): Oidc {
  const { domains, settings } = parts;
  const verify = createAccessTokenVerifier(settings.issuer, () => domains.keys.current());

  const lookUp = createResourceServerLookup(domains, settings);
  const registry = createSessionRegistry(() => current.provider, domains, parts.logger);

  const build = (): { provider: Provider; plain: AnswerPlain; ask: TokenQuestions['ask']; handle: Middleware } => {
    const provider = buildProvider({ ...parts, registry }, signingKeys(domains.keys.current().signing));
    registry.attach(provider);
    refuseReplaysAlike(provider);
    rememberAssertions(provider);
    registerTokenExchange({ provider, domains, verify, settings });
    endSessionsWithTokens(provider, domains.sessions, parts.logger);
    const asked = { provider, domains, verify, onAnswer: parts.meter.introspected };
    const introspect = createIntrospectionEndpoint(asked);
    const issue = createClientCredentialsEndpoint({ provider, domains, lookUp, meter: parts.meter });
    const { redemptions } = parts.artifacts;
    const refresh = createRefreshEndpoint({ ...parts, provider, redemptions, lookUp });
    const plain: AnswerPlain = async (request) => {
      if (request.path === protocolRoutes.introspection) return introspect(request);
      if (request.path !== protocolRoutes.token) return undefined;
      return request.body.includes('grant_type=refresh_token') ? refresh(request) : issue(request);
    };
    const handle = compose([
      refuseDeepAssertions,
      createSignedIntrospection(domains),
      createKeyIntrospection(domains, settings.issuer),
      createStructuredTokens(provider, domains, verify),
      lostDeviceSession,
      createDirectRedemption(provider),
      createSelfPostingPages(parts.pages),
      ...provider.middleware,
    ]) as Middleware;
    return { provider, plain, ask: createIntrospector(asked), handle };
  };

  let current = build();
  const stop = domains.keys.onChange(() => {
    current = build();
  });

  const onward: ResumeParts = {
    handle: (ctx, next) => current.handle(ctx, next),
    signatures: settings.cookieSignatures,
    secureCookies: settings.secureCookies,
    onLost: (error) => parts.logger.warn({ err: error }, 'an answer is not kept for a form that is sent twice'),
  };

  return {
    answerPlain: (request) => current.plain(request),
    async plainRequests(ctx: Context, next) {
      const { method, path, headers, state } = ctx;
      const body = method === 'POST' && (state.body as Buffer | undefined);
      const answer = body && (await current.plain({ path, headers, body, from: metaOf(ctx) }));
      if (!answer) return next();
      ctx.status = 200;
      ctx.set('cache-control', 'no-store');
      ctx.body = answer;
    },
    middleware: (ctx: Context, next) => current.handle(ctx, next),
    interactions: createInteractions(() => current.provider, onward, createSessionStanding(domains, registry)),
    browserSessions: registry.guard(createBrowserSessions(() => current.provider, domains, settings.issuer)),
    accessTokens: createAccessTokens(() => current.provider, domains, verify),
    firstParty: createFirstPartyCodes(() => current.provider, domains),
    keyTokens: createKeyTokens(() => current.provider, settings),
    questions: createTokenQuestions(settings.issuer, (asker, token) => current.ask(asker, token)),
    appCodes: createAppCodes(() => current.provider, domains),
    [Symbol.dispose]() {
      stop();
      registry[Symbol.dispose]();
    },
  };
}
