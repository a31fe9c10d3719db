import { apiChannel } from '../apis/api-store-sql.ts';
import type { Apis } from '../apis/index.ts';
import { clientChannel } from '../clients/client-store-sql.ts';
import type { Clients } from '../clients/index.ts';
import type { Config } from '../config/load.ts';
import type { Revocations } from '../revocation/index.ts';
import { revocationChannel } from '../revocation/revocation-store-sql.ts';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { Resources } from '../shared/resources.ts';
import { listenForNotices } from '../storage/listen.ts';
import type { Metrics } from '../web/metrics.ts';
import { webhookChannel } from '../webhooks/endpoint-store-sql.ts';
import type { Webhooks } from '../webhooks/index.ts';

interface Needs {
  readonly config: Pick<Config, 'DATABASE_URL'>;
  readonly revocations: Pick<Revocations, 'hurry' | 'statistics'>;
  readonly webhooks: Pick<Webhooks, 'hurry'>;
  readonly clients: Pick<Clients, 'hurry'>;
  readonly apis: Pick<Apis, 'hurry'>;
  readonly metrics: Pick<Metrics, 'watch' | 'watchEach'>;
  readonly logger: Logger;
}

/**
 * Lets a node read what another one revoked as soon as that is committed. It brings no revocation by itself, so nothing
 * depends on it: where the connection is lost or cannot listen (a pooler that shares it), the poll finds everything
 * within a second. On the same connection it hears of webhooks that another node opened, and of clients and APIs that it
 * changed, which are remembered for five seconds at most. The embedded database has one process and needs nothing.
 */
export function startRevocationPush({ config, metrics, logger, ...domains }: Needs): AsyncDisposable {
  const stack = new Resources();
  const { revocations, webhooks, clients, apis } = domains;
  metrics.watchEach('revocations', 'Unexpired revocations in memory, by kind.', 'kind', () => {
    const { byKind } = revocations.statistics();
    return byKind;
  });
  metrics.watch('revocation_age_seconds', 'Time since memory last agreed with the database; -1 before that.', () => {
    const { age } = revocations.statistics();
    return age === undefined ? -1 : age / 1000;
  });
  if (config.DATABASE_URL === undefined) return stack;
  let listening = false;
  metrics.watch('revocation_push_up', 'Whether this node hears at once (1) of what others revoke.', () =>
    listening ? 1 : 0,
  );
  stack.use(
    listenForNotices(config.DATABASE_URL, revocationChannel, {
      onNotice: () => revocations.hurry(),
      beside: {
        [webhookChannel]: () => webhooks.hurry(),
        [clientChannel]: () => clients.hurry(),
        [apiChannel]: () => apis.hurry(),
      },
      onBack: () => {
        listening = true;
      },
      onLost: (reason) => {
        listening = false;
        logger.warn(
          { reason: reasonOf(reason) },
          'revocations of other nodes are polled until the database tells again',
        );
      },
    }),
  );
  return stack;
}
