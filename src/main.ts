import './faster-loading.ts';
import { resolve } from 'node:path';
import { defaultDataDir } from './config/default-data-dir.ts';

/** The embedded database takes long; it opens in a thread of its own while this one loads modules. */
async function startDatabase({ DATABASE_URL, DATABASE_URL_FILE, ...env }: NodeJS.ProcessEnv) {
  if (DATABASE_URL || DATABASE_URL_FILE || env.SALLYPORT_DATA_DIR_FILE) return undefined;
  const { startAhead } = await import('./storage/pglite-ahead.ts');
  return startAhead(resolve(env.SALLYPORT_DATA_DIR || defaultDataDir));
}

const database = await startDatabase(process.env);
const { run } = await import('./app/serve.ts');
process.exitCode = await run(process.env);
await database?.[Symbol.asyncDispose]();
