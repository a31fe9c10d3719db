import type { RequestListener } from 'node:http';
import { createArtifacts } from './app/artifacts.ts';
import { watchAudit } from './app/audit.ts';
import { leavingApps } from './app/back-channel.ts';
import { createDocuments } from './app/client-documents.ts';
import { createConsoles } from './app/consoles.ts';
import { createDomains, type Domains } from './app/domains.ts';
import { createFirstParty } from './app/first-party.ts';
import { createGates, type Gates } from './app/gates.ts';
import { startJobs } from './app/jobs.ts';
import { createLimits } from './app/limits.ts';
import { hasMailViewer } from './app/mail.ts';
import { measureDatabase, watchStores } from './app/measured-stores.ts';
import { countEvents } from './app/meters.ts';
import { openDatabase } from './app/open-storage.ts';
import { startOperations } from './app/operations.ts';
import { traceHashing } from './app/passwords.ts';
import { createProtocolUnit } from './app/protocol-unit.ts';
import { startRevocationPush } from './app/revocation-push.ts';
import { refusedPlaces } from './app/risk.ts';
import { startTracing } from './app/tracing.ts';
import { createPageTools, createWeb, type PageTools } from './app/web.ts';
import type { Config } from './config/load.ts';
import { createOidc, type OidcSettings } from './oidc/index.ts';
import { type Clock, systemClock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { type Resources, withResources } from './shared/resources.ts';
import type { Database } from './storage/database.ts';
import { createEntryRoutes } from './web/account-entry/routes.ts';
import { createDevMailRoutes } from './web/dev-mail.ts';
import { createDeviceCookie } from './web/device-cookie.ts';
import { type HttpServer, listen } from './web/http/server.ts';
import { listenForManagement, type ReadinessCheck } from './web/management.ts';
import { createMetrics, type Metrics } from './web/metrics.ts';
import { createProtocolPages } from './web/protocol-pages.ts';
import { createSignInPages } from './web/sign-in/routes.ts';
import { createStatusListRoutes } from './web/status-list.ts';
import { createWellKnownRoutes } from './web/well-known.ts';

/** A server that is put together; it listens when it is told to. */
export interface App extends AsyncDisposable {
  readonly issuer: string;
  readonly domains: Domains;
  readonly database: Database;
  /** Opens the public and the management port. @throws the system's error when a port is taken. */
  listen(): Promise<{ readonly port: number; readonly managementPort: number; readonly rpcPort?: number }>;
}

interface Options {
  readonly logger: Logger;
  /** Where finished requests are written; default: the same. */
  readonly access?: Logger;
  readonly clock?: Clock;
  /** Told what takes time at the first start. */
  readonly onProgress?: (text: string) => void;
  /** False sends every request the ordinary way; for tests that compare. */
  readonly plainLane?: boolean;
  readonly demoAccounts?: () => readonly { username: string; password: string; note: string }[];
}

const oidcSettings = (config: Config, { secrets }: Domains): OidcSettings => ({
  issuer: config.issuer,
  cookieSignatures: secrets.cookies(),
  secureCookies: config.secureCookies,
  accessTokenSeconds: config.SALLYPORT_ACCESS_TOKEN_SECONDS,
  refreshTokenSeconds: config.SALLYPORT_REFRESH_TOKEN_SECONDS,
  refreshFamilySeconds: config.SALLYPORT_REFRESH_FAMILY_SECONDS,
  sessionSeconds: config.SALLYPORT_SESSION_SECONDS,
  interactionSeconds: config.SALLYPORT_INTERACTION_SECONDS,
});

/** Pages that help to develop and would help a thief. */
const devRoutes = (config: Config, { notifications }: Domains, { pages }: PageTools) =>
  hasMailViewer(config) ? [createDevMailRoutes({ notifications, pages })] : [];

const sideRoutes = (config: Config, domains: Domains, tools: PageTools) => [
  createWellKnownRoutes({
    issuer: config.issuer,
    passkeys: domains.passkeys.usable,
    relatedOrigins: config.SALLYPORT_PASSKEY_ORIGINS,
  }),
  createStatusListRoutes(domains),
  ...devRoutes(config, domains, tools),
];

interface Built {
  readonly web: RequestListener;
  readonly startRpc: Gates['startRpc'];
  readonly domains: Domains;
  readonly database: Database;
  readonly checks: readonly ReadinessCheck[];
  readonly metrics: Metrics;
}

/** Starts what domains do beside requests, and has it stopped with the server. */
async function startDomains({ hasher, passwordPolicy, places, keys }: Domains, resources: Resources): Promise<void> {
  for (const own of [hasher, passwordPolicy, places]) resources.use(own);
  await keys.prepare();
  resources.use(keys.start());
}

interface ProtocolNeeds {
  readonly domains: Domains;
  readonly artifacts: ReturnType<typeof createArtifacts>;
  readonly limits: ReturnType<typeof createLimits>;
  readonly tools: PageTools;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The protocol on the domains. */
const createProtocol = (config: Config, { domains, artifacts, limits, tools, metrics, clock, logger }: ProtocolNeeds) =>
  createOidc({
    settings: oidcSettings(config, domains),
    domains: {
      ...domains,
      mailedStep: config.SALLYPORT_EMAIL_STEP,
      hasSecondFactor: domains.signIn.hasSecondFactor,
      leaveApp: leavingApps(domains),
      mayUseTokens: (account) => account.status === 'active',
    },
    artifacts: artifacts.stores,
    pages: createProtocolPages({
      pages: tools.pages,
      clients: domains.clients,
      clock,
      logger,
      explain: !config.production,
    }),
    refreshes: limits.refreshes,
    meter: {
      tokenIssued: (grant, format) => metrics.countToken(grant, format),
      introspected: (active) => metrics.countIntrospection(active),
    },
    documents: createDocuments({ config, clock, logger }),
    logger,
  });

async function build(config: Config, options: Options, resources: Resources): Promise<Built> {
  const {
    logger,
    access = logger,
    clock = systemClock,
    onProgress = () => undefined,
    demoAccounts = () => [],
  } = options;
  const metrics = createMetrics();
  const tracing = resources.use(await startTracing(config, metrics, logger));
  const watch = watchStores(metrics, tracing.tracer);
  const database = measureDatabase(resources.use(await openDatabase(config, logger, onProgress)), watch);
  const domains = createDomains(config, database, clock, logger, countEvents(metrics), traceHashing(tracing.tracer));
  await startDomains(domains, resources);
  watchAudit(metrics, domains, clock);

  const artifacts = resources.use(createArtifacts({ config, database, domains, clock, logger, metrics, watch }));
  const limits = createLimits({ config, domains, redis: artifacts.redis?.client, logger, clock, metrics });
  const tools = createPageTools(config, domains.secrets);
  const oidc = resources.use(createProtocol(config, { domains, artifacts, limits, tools, metrics, clock, logger }));
  const ensureFresh = (): Promise<void> => domains.keys.ensureFresh();
  const asProtocol = createProtocolUnit(database);
  const signIn = createSignInPages({
    ...domains,
    interactions: oidc.interactions,
    pages: tools.pages,
    forms: tools.forms,
    limits: limits.attempts,
    mails: limits.entry,
    browserSessions: oidc.browserSessions,
    deviceCookie: createDeviceCookie(config.secureCookies),
    demoAccounts,
    secureCookies: config.secureCookies,
    async asProtocol(ctx, work) {
      await ensureFresh();
      await asProtocol(ctx, work);
    },
  });
  const entry = createEntryRoutes({
    ...domains,
    interactions: oidc.interactions,
    pages: tools.pages,
    forms: tools.forms,
    limits: limits.entry,
    attempts: limits.attempts,
    secureCookies: config.secureCookies,
  });
  const firstParty = createFirstParty({ config, database, domains, oidc, limits, clock });
  const consoles = createConsoles({ config, database, domains, oidc, tools, clock, firstParty, limits });
  const web = createWeb({
    config,
    oidc,
    tools,
    routers: [signIn.router, entry, ...consoles.routers, ...sideRoutes(config, domains, tools)],
    home: consoles.home,
    limits,
    refuses: refusedPlaces(domains.places),
    arrival: signIn.arrival,
    asProtocol,
    ensureFresh,
    cookieSignatures: domains.secrets.cookies(),
    metrics,
    clock,
    logger,
    access,
    plainLane: options.plainLane,
  });
  resources.use(startJobs({ artifacts, domains, logger }));
  resources.use(startOperations({ config, database, domains, artifacts, metrics, clock, logger }));
  resources.use(startRevocationPush({ config, ...domains, metrics, logger }));
  const gates = createGates({ config, domains, oidc, metrics, clock, logger, access });
  return { ...gates, web: tracing.trace(gates.before(web)), domains, database, checks: artifacts.checks, metrics };
}

/** The composition root: picks the stores, builds the domains on them, and mounts the surfaces. */
export function createApp(config: Config, options: Options): Promise<App> {
  return withResources(async (resources) => {
    const { logger } = options;
    const { web, startRpc, domains, database, checks, metrics } = await build(config, options, resources);
    let server: HttpServer | undefined;
    let rpc: Awaited<ReturnType<typeof startRpc>>;
    let draining = false;
    return {
      issuer: config.issuer,
      domains,
      database,
      async listen() {
        server = await listen(web, { port: config.PORT, host: config.host });
        const management = await listenForManagement(
          { checks, registry: metrics.registry, isDraining: () => draining, logger },
          { port: config.SALLYPORT_MANAGEMENT_PORT, host: config.SALLYPORT_MANAGEMENT_HOST },
        );
        resources.use(management);
        rpc = await startRpc();
        return { port: server.port, managementPort: management.port, ...(rpc && { rpcPort: rpc.port }) };
      },
      async [Symbol.asyncDispose]() {
        draining = true;
        const drain = { noticeSeconds: config.SALLYPORT_DRAIN_SECONDS, graceSeconds: 25 };
        const [cut = 0] = await Promise.all([server?.drain(drain), rpc?.drain(drain)]);
        if (cut > 0) logger.warn({ requests: cut }, 'requests were cut at the end of the grace time');
        await resources[Symbol.asyncDispose]();
      },
    };
  });
}
