import { runsEverywhere } from './lanes-wanted.ts';
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

/** The embedded one and the fullest, for what differs with each; with SALLYPORT_TEST_LANES=all on every combination. */
export const emptiestAndFullest = (): StoreLane[] => {
  const lanes = storeLanes();
  return runsEverywhere() || lanes.length < 3 ? lanes : [...lanes.slice(0, 1), ...lanes.slice(-1)];
};

/**
 * The fullest combination, for flows of pages and of the API: every file that starts a server without naming its stores
 * runs embedded, and the suites in test/stores hold every store of tokens to one contract. With SALLYPORT_TEST_LANES=all
 * they run on every combination.
 */
export const fullestStoreLane = (): StoreLane[] => (runsEverywhere() ? storeLanes() : storeLanes().slice(-1));
