import { createTestDatabase } from './postgres.ts';

export interface StoreLane {
  readonly name: string;
  /** Variables that put a server on these stores; what was made for it goes onto `stack`. */
  env(stack: AsyncDisposableStack): Promise<Record<string, string>>;
}

/** The combinations of stores that this run has: embedded always, PostgreSQL and Redis when the runner found them. */
export function storeLanes(): StoreLane[] {
  const lanes: StoreLane[] = [{ name: 'PGlite', env: async () => ({}) }];
  const { TEST_DATABASE_URL: sql, TEST_REDIS_URL: redis } = process.env;
  const onPostgres = async (stack: AsyncDisposableStack): Promise<Record<string, string>> => ({
    DATABASE_URL: stack.use(await createTestDatabase(sql ?? '')).url,
  });
  if (sql) lanes.push({ name: 'PostgreSQL', env: onPostgres });
  if (sql && redis) {
    lanes.push({
      name: 'PostgreSQL and Redis',
      env: async (stack) => ({ ...(await onPostgres(stack)), REDIS_URL: redis }),
    });
  }
  return lanes;
}

/**
 * The simplest combination and the fullest, for flows of pages and of the API: what they ask of PostgreSQL is the same with
 * and without Redis, and the suites in test/stores hold every store of tokens to one contract.
 */
export function outerStoreLanes(): StoreLane[] {
  const lanes = storeLanes();
  return lanes.length > 2 ? lanes.filter((_lane, index) => index !== 1) : lanes;
}

/**
 * The fullest combination, for long flows whose like also run embedded: everything that starts a server without naming its
 * stores does. With SALLYPORT_TEST_LANES=all they run on every combination.
 */
export const fullestStoreLane = (): StoreLane[] =>
  process.env.SALLYPORT_TEST_LANES === 'all' ? storeLanes() : storeLanes().slice(-1);
