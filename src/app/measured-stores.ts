import type { Database } from '../storage/database.ts';
import type { RedisClient, RedisConnection, Script } from '../storage/redis.ts';
import type { SqlValue, Statement } from '../storage/statement.ts';
import type { Metrics } from '../web/metrics.ts';
import type { Tracer } from './tracer.ts';

type Store = 'sql' | 'redis';
type Ended = (failed: boolean) => void;

/** Told when a call to a store begins; what it answers is told when the call has ended. */
export type WatchStore = (store: Store, operation: string) => Ended;

const operations = new Set(['select', 'insert', 'update', 'delete', 'with', 'begin', 'commit', 'rollback']);

/** The first word of a statement, one of a closed set. */
function operationOf(text: string): string {
  const word = /^\s*([a-z]+)/i.exec(text)?.[1]?.toLowerCase() ?? '';
  return operations.has(word) ? word : 'other';
}

/** Hands each call to the metrics and, while a request is traced, to its trace. */
export const watchStores =
  (metrics: Pick<Metrics, 'observeStore'>, tracer: Pick<Tracer, 'child'> | undefined): WatchStore =>
  (store, operation) => {
    const start = performance.now();
    const span = tracer?.child(`${store} ${operation}`, {
      'db.system.name': store === 'sql' ? 'postgresql' : 'redis',
      'db.operation.name': operation,
    });
    return (failed) => {
      metrics.observeStore(store, operation, (performance.now() - start) / 1000, failed ? 'failed' : 'ok');
      span?.end(failed ? 'error' : 'ok');
    };
  };

async function timed<T>(ended: Ended, work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    ended(false);
    return result;
  } catch (error) {
    ended(true);
    throw error;
  }
}

interface KnexQuery {
  readonly __knexQueryUid: string;
  readonly sql: string;
}

/** Watches what goes through the query builder, transactions included: they tell the pool's listeners too. */
function watchBuilder(database: Database, watch: WatchStore): void {
  const open = new Map<string, Ended>();
  const end = (uid: string, failed: boolean): void => {
    open.get(uid)?.(failed);
    open.delete(uid);
  };
  const pool = database.sql;
  pool.on('query', (query: KnexQuery) => open.set(query.__knexQueryUid, watch('sql', operationOf(query.sql))));
  pool.on('query-response', (_rows: unknown, query: KnexQuery) => end(query.__knexQueryUid, false));
  pool.on('query-error', (_error: unknown, query: KnexQuery) => end(query.__knexQueryUid, true));
}

/** The same database, whose statements are timed. Has to be called outside a unit of work. */
export function measureDatabase(database: Database, watch: WatchStore): Database {
  watchBuilder(database, watch);
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const known = names.get(text) ?? operationOf(text);
    names.set(text, known);
    return known;
  };
  // Everything else, and what is added to it one day, is the database's own.
  return Object.assign(Object.create(database) as Database, {
    query: <Row>(hot: Statement, values: readonly SqlValue[]) =>
      timed(watch('sql', nameOf(hot.text)), database.query<Row>(hot, values)),
  });
}

/** The same Redis, whose calls are timed. What goes to its `client` directly is not. */
export const measureRedis = (redis: RedisConnection, watch: WatchStore): RedisConnection =>
  Object.assign(Object.create(redis) as RedisConnection, {
    run: <T>(commands: (client: RedisClient) => Promise<T>) => timed(watch('redis', 'command'), redis.run(commands)),
    evaluate: (script: Script, keys: readonly string[], values: readonly (string | number)[]) =>
      timed(watch('redis', 'script'), redis.evaluate(script, keys, values)),
  });
