import type { Config } from '../config/load.ts';
import { type ClientDocuments, createClientDocuments, longestDocument } from '../oidc/index.ts';
import { createGuardedGet, createNetworkGuard } from '../outgoing/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';

/** For one document of a client, while a request waits for it. */
const seconds = 2.5;

/** What clients publish, read from public addresses only; in development from any. */
export function createDocuments({
  config,
  clock,
  logger,
}: {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
}): ClientDocuments {
  const guard = createNetworkGuard({ networks: [], anywhere: !config.production });
  return createClientDocuments({ get: createGuardedGet({ guard, seconds, longest: longestDocument }), clock, logger });
}
