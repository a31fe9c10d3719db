import type { OperationsReader } from '../alerts/index.ts';
import { type Operations, ruleNames } from '../alerts/index.ts';
import { createSqlOperationsReader } from '../alerts/operations-sql.ts';
import type { Config } from '../config/load.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { Resources } from '../shared/resources.ts';
import type { Database } from '../storage/database.ts';
import type { Metrics } from '../web/metrics.ts';
import { startAlerts } from './alerts.ts';
import type { Artifacts } from './artifacts.ts';
import type { Domains } from './domains.ts';
import { startWebhooks } from './webhooks.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly domains: Domains;
  readonly artifacts: Pick<Artifacts, 'redis'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds that a reading serves all gauges and scrapes, and that a scrape waits for a new one. */
const freshFor = 10_000;
const patience = 800;

/** Reads at most once in a while; a scrape that cannot have an answer in time gets none and is not held up. */
export function rarely<T>(read: () => Promise<T>): () => Promise<T | undefined> {
  let last: { readonly at: number; readonly value: Promise<T | undefined> } | undefined;
  return () => {
    const at = performance.now();
    if (last && at - last.at < freshFor) return last.value;
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, patience, undefined).unref());
    const value = Promise.race([read().catch(() => undefined), late]);
    last = { at, value };
    return value;
  };
}

function watchOperations(metrics: Metrics, operations: OperationsReader, clock: Clock): void {
  const current = rarely(() => operations.read(clock.now()));
  // What is not known is NaN, which Prometheus leaves out of every sum.
  const number = (read: (found: Operations) => number) => async (): Promise<number> => {
    const found = await current();
    return found ? read(found) : Number.NaN;
  };
  metrics.watch('sql_up', 'Whether the database answered (1) the last time it was asked.', async () =>
    (await current()) ? 1 : 0,
  );
  metrics.watch(
    'sessions',
    'Sessions that are open, in the whole installation.',
    number((found) => found.sessions),
  );
  metrics.watchEach(
    'outbox_waiting',
    'Messages that wait to be sent, in the whole installation.',
    'queue',
    async () => ({
      mail: await number(({ mail }) => mail.waiting)(),
      webhooks: await number(({ webhooks }) => webhooks.waiting)(),
      logouts: await number(({ logouts }) => logouts.waiting)(),
    }),
  );
  metrics.watchEach('outbox_oldest_seconds', 'Age of the oldest message that waits.', 'queue', async () => ({
    mail: await number(({ mail }) => mail.oldestSeconds)(),
    webhooks: await number(({ webhooks }) => webhooks.oldestSeconds)(),
    logouts: await number(({ logouts }) => logouts.oldestSeconds)(),
  }));
  metrics.watch(
    'webhooks_disabled',
    'Webhooks that were disabled after failures.',
    number((all) => all.webhooksDisabled),
  );
  metrics.watchEach('alert_firing', 'Whether an alert rule fires (1).', 'rule', async () => {
    const found = await current();
    return Object.fromEntries(
      ruleNames.map((rule) => [rule, found ? Number(found.firing.includes(rule)) : Number.NaN]),
    );
  });
}

/** Everything that operators are told by: numbers for scrapes, webhooks, alerts. */
export function startOperations({
  config,
  database,
  domains,
  artifacts,
  metrics,
  clock,
  logger,
}: Needs): AsyncDisposable {
  const stack = new Resources();
  const operations = createSqlOperationsReader(database);
  metrics.watch('password_queue', 'Passwords that wait for a thread.', () => domains.hasher.waiting);
  watchOperations(metrics, operations, clock);
  stack.use(startWebhooks(domains.webhooks, metrics));
  const breakerOpen = (): boolean => artifacts.redis?.state === 'down';
  stack.use(startAlerts({ config, database, domains, operations, breakerOpen, clock, logger }));
  return stack;
}
