import { reasonOf } from '../../src/shared/errors.js';
import { browser, closeBrowser } from './browser.js';
import { createTestDatabase, LaneMissing, startPostgres } from './postgres.js';
import { startRedis } from './redis.js';
const postgres = async (stack) => {
    const given = process.env.DATABASE_URL;
    const server = given ?? stack.use(await startPostgres()).url;
    const { url } = stack.use(await createTestDatabase(server));
    return { detail: given ? 'from DATABASE_URL' : 'started for this run', env: { TEST_DATABASE_URL: url } };
};
const redis = async (stack) => {
    const given = process.env.REDIS_URL;
    const url = given ?? stack.use(await startRedis()).url;
    return { detail: given ? 'from REDIS_URL' : 'started for this run', env: { TEST_REDIS_URL: url } };
};
/** Starts the browser once, so that unpacking it is no test's time and its absence is known before the first. */
const chromium = async () => {
    try {
        const version = (await browser()).version();
        return { detail: `Chromium ${version}`, env: { TEST_BROWSER_READY: 'true' } };
    }
    finally {
        await closeBrowser();
    }
};
async function start(name, begin, stack) {
    try {
        const { detail, env } = await begin(stack);
        Object.assign(process.env, env);
        return { name, detail, ran: true };
    }
    catch (error) {
        const detail = error instanceof LaneMissing ? error.message : reasonOf(error);
        return { name, detail, ran: false };
    }
}
/** Starts what this machine has; PGlite is always there. Disposing the stack stops and removes all of it. */
export async function startLanes(stack) {
    return [
        { name: 'PGlite', detail: 'embedded', ran: true },
        await start('PostgreSQL', postgres, stack),
        await start('Redis', redis, stack),
        await start('Browser', chromium, stack),
    ];
}
