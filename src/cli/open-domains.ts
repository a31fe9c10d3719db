import { createDomains } from '../app/domains.ts';
import { openDatabase } from '../app/open-storage.ts';
import type { Config } from '../config/load.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
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
