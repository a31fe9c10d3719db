import { join } from 'node:path';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Config } from '../config/load.ts';
import type { AccessTokens, Oidc } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import { once } from '../shared/once.ts';
import type { Database } from '../storage/database.ts';
import { createFarewellRoutes } from '../web/account-console/data-delete.ts';
import { dataPages } from '../web/account-console/data-pages.ts';
import { createAccountRoutes } from '../web/account-console/routes.ts';
import { securityPages } from '../web/account-console/security-pages.ts';
import { createAdminRoutes } from '../web/admin-console/admin-routes.ts';
import { createApiDocs, createApiRoutes } from '../web/api/api-routes.ts';
import { meOperations } from '../web/api/me.ts';
import { createOpenApiDocument } from '../web/api/openapi-document.ts';
import { createTryPage } from '../web/api/try-page.ts';
import { createConsoleGuard } from '../web/console/console-guard.ts';
import { createConsoleRoutes } from '../web/console/console-routes.ts';
import { nameOf } from '../web/console/console-shell.ts';
import { createSignInState } from '../web/console/sign-in-state.ts';
import type { AdminOverviewPage } from '../web/console-models.ts';
import { createDeviceCookie } from '../web/device-cookie.ts';
import type { HomePage } from '../web/page-models.ts';
import type { Domains } from './domains.ts';
import type { FirstPartySurface } from './first-party.ts';
import type { Limits } from './limits.ts';
import { hasMailViewer } from './mail.ts';
import { securitySurface } from './security-surface.ts';
import { createServices } from './verify.ts';
import type { PageTools } from './web.ts';

const viewsDir = join(import.meta.dirname, '..', '..', 'views');

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly domains: Domains;
  readonly oidc: Oidc;
  readonly tools: PageTools;
  readonly clock: Clock;
  readonly firstParty: FirstPartySurface;
  readonly limits: Pick<Limits, 'account' | 'apiKeys'>;
}

export interface Consoles {
  readonly routers: readonly Router[];
  /** The front page for this browser. */
  home(ctx: Context): Promise<HomePage>;
}

const playgroundOf = (config: Config): string | undefined =>
  config.demo && config.SALLYPORT_PLAYGROUND_PORT > 0
    ? `http://localhost:${config.SALLYPORT_PLAYGROUND_PORT}`
    : undefined;

function linksOf(config: Config): AdminOverviewPage['links'] {
  const playground = playgroundOf(config);
  return [
    { href: '/api/docs', label: 'API docs', hint: 'Every endpoint, with a command to copy' },
    { href: '/.well-known/openid-configuration', label: 'Discovery', hint: 'What clients configure themselves from' },
    { href: '/oauth2/jwks', label: 'JWKS', hint: 'The public keys that services verify tokens with' },
    ...(playground ? [{ href: `${playground}/`, label: 'Playground', hint: 'Sign in as an app does' }] : []),
    ...(hasMailViewer(config) ? [{ href: '/dev/mail', label: 'Mail', hint: 'What the server would have sent' }] : []),
  ];
}

/** Our own consoles and API, and the front page that leads to them. */
export function createConsoles({ config, database, domains, oidc, tools, clock, firstParty, limits }: Needs): Consoles {
  const { issuer } = config;
  const { accounts, secrets } = domains;
  const sessions = oidc.browserSessions;
  const state = createSignInState({
    secrets,
    clock,
    issuer,
    secureCookies: config.secureCookies,
    lifeSeconds: config.SALLYPORT_INTERACTION_SECONDS + 300,
  });
  const { hasSecondFactor } = domains.signIn;
  const guard = createConsoleGuard({ sessions, state, accounts, hasSecondFactor, pages: tools.pages, clock, issuer });
  const services = createServices({ config, database, domains, oidc, limits });
  const me = meOperations({ ...domains, clock, limits: limits.account });
  const operations = [...me, ...firstParty.operations, ...services.operations];
  const document = once(() => createOpenApiDocument(issuer, operations));
  const tokens: AccessTokens = {
    // A node that slept may not know the newest keys yet.
    async verify(token, audience) {
      await domains.keys.ensureFresh();
      return oidc.accessTokens.verify(token, audience);
    },
  };
  const freshSeconds = config.SALLYPORT_FRESH_SIGN_IN_SECONDS;
  const admin = createAdminRoutes({ ...domains, ...tools, guard, clock, links: linksOf(config), freshSeconds });
  const data = {
    ...domains,
    ...tools,
    limits: limits.account,
    clock,
    deletionDays: config.SALLYPORT_DELETION_DAYS,
    deviceCookie: createDeviceCookie(config.secureCookies),
  };
  const security = securitySurface({ database, domains, sessions, pages: tools.pages, clock });
  const account = createAccountRoutes({ guard, forms: tools.forms, limits: limits.account, freshSeconds }, [
    ...securityPages(security),
    ...dataPages(data),
  ]);
  const playground = playgroundOf(config);

  return {
    routers: [
      createConsoleRoutes({ sessions, state, issuer }),
      createFarewellRoutes(data),
      account,
      admin,
      firstParty.router,
      createApiRoutes({
        issuer,
        tokens,
        useKey: services.useKey,
        accounts,
        operations,
        document,
        sessions: domains.sessions,
        browser: { sessions, csrf: tools.csrf, renewSession: security.renewSession },
        clock,
        limits: limits.account,
        hasSecondFactor,
        freshSeconds: config.SALLYPORT_FRESH_SIGN_IN_SECONDS,
      }),
      createApiDocs({ document, pages: tools.pages }),
      createTryPage(viewsDir),
    ],
    async home(ctx) {
      const session = await sessions.current(ctx);
      const account = session && (await accounts.find(session.accountId));
      const active = account?.status === 'active' ? account : undefined;
      const showAdmin = config.demo || active?.roles.includes('admin');
      return {
        ...(active && { who: nameOf(active) }),
        links: [
          {
            href: '/account',
            label: active ? 'Your account' : 'Sign in to your account',
            hint: 'Profile, password, sessions and devices',
            icon: 'person',
          },
          ...(showAdmin
            ? [{ href: '/admin', label: 'Admin', hint: 'Overview, sessions and audit log', icon: 'seal' as const }]
            : []),
          { href: '/api/docs', label: 'API docs', hint: 'For developers of apps and services', icon: 'document' },
          ...(playground
            ? [{ href: `${playground}/`, label: 'Playground', hint: 'Sign in as an app does', icon: 'key' as const }]
            : []),
        ],
      };
    },
  };
}
