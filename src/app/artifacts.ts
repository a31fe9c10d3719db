import type { Config } from '../config/load.ts';
import type { ArtifactStores } from '../oidc/artifact-store.ts';
import { createRedisArtifactStores } from '../oidc/artifact-store-redis.ts';
import { createSqlArtifactStores } from '../oidc/artifact-store-sql.ts';
import { createSqlUseMarks } from '../oidc/artifact-uses-sql.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import { openRedis, type RedisConnection } from '../storage/redis.ts';
import type { ReadinessCheck } from '../web/management.ts';
import type { Metrics } from '../web/metrics.ts';
import type { Domains } from './domains.ts';
import { measureRedis, type WatchStore } from './measured-stores.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly domains: Domains;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told of each call to Redis. */
  readonly watch: WatchStore;
}

/** Where codes, tokens and sessions are kept, and what has to be up for that. */
export interface Artifacts extends AsyncDisposable {
  readonly stores: ArtifactStores;
  readonly redis: RedisConnection | undefined;
  readonly checks: readonly ReadinessCheck[];
  /** Deletes expired rows in batches and says how many. */
  purge(): Promise<number>;
}

const batch = 1000;

function watchRedis(redis: RedisConnection, { logger, metrics }: Needs): void {
  metrics.watch('redis_up', 'Whether Redis answers (1) or the breaker is open (0).', () =>
    redis.state === 'up' ? 1 : 0,
  );
  redis.onState((state, reason) => {
    if (state === 'down') logger.error({ reason: String(reason) }, 'Redis does not answer; its breaker is open');
    else logger.info('Redis answers again');
  });
}

/** Opens them in Redis when there is one, else in SQL. What may not be lost with Redis stays in SQL either way. */
export function createArtifacts(needs: Needs): Artifacts {
  const { config, database, domains, clock } = needs;
  const { secrets } = domains;
  const policy = {
    refreshRetrySeconds: config.SALLYPORT_REFRESH_RETRY_SECONDS,
    isStrict: async (clientId: string) => (await domains.clients.find(clientId))?.strictRefresh === true,
  };
  const sql = createSqlArtifactStores({ database, secrets, clock, policy });
  const { REDIS_URL: url, SALLYPORT_REDIS_TIMEOUT_MS: patience } = config;
  const redis = url === undefined ? undefined : measureRedis(openRedis(url, patience), needs.watch);
  if (redis) watchRedis(redis, needs);

  const checks: ReadinessCheck[] = [
    { name: 'database', required: true, check: async () => void (await database.sql.raw('select 1')) },
    { name: 'keys', required: true, check: async () => requireReady(domains) },
  ];
  if (redis)
    checks.push({
      name: 'redis',
      required: false,
      check: async () => void (await redis.run((client) => client.ping())),
    });

  return {
    stores: redis
      ? createRedisArtifactStores({
          redis,
          replay: sql('ReplayDetection'),
          uses: createSqlUseMarks(database),
          secrets,
          clock,
          policy,
        })
      : sql,
    redis,
    checks,
    async purge() {
      let total = 0;
      for (let removed = batch; removed === batch; total += removed) removed = await sql.purgeExpired(batch);
      return total;
    },
    async [Symbol.asyncDispose]() {
      await redis?.[Symbol.asyncDispose]();
    },
  };
}

function requireReady({ keys }: Domains): void {
  const { ready, problem } = keys.health();
  if (!ready) throw new Error(problem ?? 'the signing keys are not loaded');
}
