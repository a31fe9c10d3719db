import { keyClientId } from '../api-keys/index.ts';
import type { Config } from '../config/load.ts';
import type { Keys } from '../keys/index.ts';
import type { Clock } from '../shared/clock.ts';
import { createStatusLists, createTokenSigner, type StatusLists } from '../status-list/index.ts';
import { createSqlStatusListStore } from '../status-list/status-list-store-sql.ts';
import type { Database } from '../storage/database.ts';
import { statusListsPath } from '../web/status-list.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly keys: Keys;
}

/** The lists in which services look up tokens that they verified offline. */
export const createStatusListParts = ({ config, database, clock, keys }: Needs): StatusLists =>
  createStatusLists({
    store: createSqlStatusListStore(database, [keyClientId]),
    signer: createTokenSigner(keys),
    clock,
    issuer: config.issuer,
    ttlSeconds: config.SALLYPORT_STATUS_LIST_TTL_SECONDS,
    address: `${config.issuer}${statusListsPath}`,
  });
