import { randomBytes } from 'node:crypto';
import { createDomains } from '../app/domains.ts';
import { isMissing, openDatabase } from '../app/open-storage.ts';
import { type Config, withSecrets } from '../config/load.ts';
import { systemClock } from '../shared/clock.ts';
import { type Logger, silentLogger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import { migrate } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';
import type { Domains } from './domains.ts';

export interface OpenDomains extends AsyncDisposable {
  readonly domains: Domains;
}

interface Options {
  readonly logger: Logger;
  readonly onProgress: (text: string) => void;
  /** Whether the database may be made for this; default: no. */
  readonly make?: boolean | undefined;
}

function domainsOn(config: Config, database: Database, logger: Logger): OpenDomains {
  const domains = createDomains(config, database, systemClock, logger);
  return {
    domains,
    async [Symbol.asyncDispose]() {
      await domains.hasher[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/**
 * Opens the domains for one command, on the database that the configuration names.
 * @throws AppError `not_found` when there is none and it may not be made
 */
export async function openDomains(config: Config, { logger, onProgress, make = false }: Options): Promise<OpenDomains> {
  const database = await openDatabase(config, logger, onProgress, { make });
  return domainsOn(withSecrets(config), database, logger);
}

/** Domains on an empty database in memory, which leave nothing behind. */
export async function openInMemory(config: Config): Promise<OpenDomains> {
  const database = await openPglite(undefined);
  try {
    await migrate(database);
    return domainsOn({ ...config, secrets: [randomBytes(48).toString('base64url')] }, database, silentLogger());
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Where a command would make the database, tries it in memory first: what is refused there would be refused by the new
 * one as well, and left it behind.
 */
export async function tryInMemory(config: Config, work: (domains: Domains) => Promise<unknown>): Promise<void> {
  if (!isMissing(config)) return;
  const opened = await openInMemory(config);
  try {
    await work(opened.domains);
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}

export { isMissing };
