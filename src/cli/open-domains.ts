import { setTimeout as delay } from 'node:timers/promises';
import { createDomains } from '../app/domains.ts';
import { openDatabase } from '../app/open-storage.ts';
import type { Config } from '../config/load.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { DataDirInUse } from '../storage/data-dir-lock.ts';
import type { Domains } from './domains.ts';

export interface OpenDomains extends AsyncDisposable {
  readonly domains: Domains;
}

/** Opens the domains for one command, on the database that the configuration names. */
export async function openDomains(
  config: Config,
  { logger, onProgress }: { readonly logger: Logger; readonly onProgress: (text: string) => void },
): Promise<OpenDomains> {
  const database = await openDatabase(config, logger, onProgress);
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
 * Does `ask`, then `open` when nobody answers, and again while the data directory is in use without an answer: a server
 * that starts has the directory before it listens.
 */
export async function askOrOpen<T>(
  ask: () => Promise<T | undefined>,
  open: () => Promise<T>,
  waitMs = 10_000,
): Promise<T> {
  for (const end = performance.now() + waitMs; ; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DataDirInUse) || performance.now() > end) throw error;
      await delay(200);
    }
  }
}
