import { createTestDatabase } from './postgres.js';
/** The combinations of stores that this run has: embedded always, PostgreSQL and Redis when the runner found them. */
export function storeLanes() {
    const lanes = [{ name: 'PGlite', env: async () => ({}) }];
    const { TEST_DATABASE_URL: sql, TEST_REDIS_URL: redis } = process.env;
    const onPostgres = async (stack) => ({
        DATABASE_URL: stack.use(await createTestDatabase(sql ?? '')).url,
    });
    if (sql)
        lanes.push({ name: 'PostgreSQL', env: onPostgres });
    if (sql && redis) {
        lanes.push({
            name: 'PostgreSQL and Redis',
            env: async (stack) => ({ ...(await onPostgres(stack)), REDIS_URL: redis }),
        });
    }
    return lanes;
}
