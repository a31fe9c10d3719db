import { openPostgres } from '../../src/storage/database.js';
import { migrate } from '../../src/storage/migrate.js';
import { openPglite } from '../../src/storage/pglite.js';
/** The SQL servers that this run has: PGlite always, PostgreSQL when the runner found or started one. */
export const sqlLanes = () => (process.env.TEST_DATABASE_URL ? ['pglite', 'postgres'] : ['pglite']);
const opened = new Map();
async function open(lane) {
    const database = lane === 'pglite'
        ? await openPglite(undefined)
        : openPostgres(process.env.TEST_DATABASE_URL ?? '', { poolSize: 20 });
    await migrate(database);
    return database;
}
/** A migrated database, opened once per run. Tests share it and keep apart by their own random ids. */
export function testDatabase(lane = 'pglite') {
    let database = opened.get(lane);
    if (!database) {
        database = open(lane);
        opened.set(lane, database);
    }
    return database;
}
/** Closes what {@link testDatabase} opened. */
export async function closeTestDatabases() {
    for (const database of opened.values())
        await (await database)[Symbol.asyncDispose]();
    opened.clear();
}
