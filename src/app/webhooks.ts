import type { AuditLog } from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import { createNetworkGuard } from '../outgoing/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import type { Metrics } from '../web/metrics.ts';
import { createSqlDeliveryStore } from '../webhooks/delivery-store-sql.ts';
import { createSqlEndpointStore } from '../webhooks/endpoint-store-sql.ts';
import { createWebhooks, deliveryPolicy, type Webhooks } from '../webhooks/index.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly secrets: SecretRing;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly logger: Logger;
}

/** Webhooks as the configuration wants them: in production to public addresses only, and those that it names. */
export function createWebhookParts({ config, database, clock, secrets, audit, logger }: Needs): Webhooks {
  return createWebhooks({
    endpoints: createSqlEndpointStore(database),
    deliveries: createSqlDeliveryStore(database),
    together: (work) => database.together(work),
    clock,
    secrets,
    audit,
    logger,
    guard: createNetworkGuard({
      variable: 'SALLYPORT_WEBHOOK_NETWORKS',
      networks: config.SALLYPORT_WEBHOOK_NETWORKS,
      anywhere: !config.production,
    }),
    allowLoopback: !config.production,
    policy: { ...deliveryPolicy, disableAfter: config.SALLYPORT_WEBHOOK_DISABLE_DAYS * 86_400 },
  });
}

/** Starts to deliver, and counts how that goes. */
export const startWebhooks = (webhooks: Webhooks, metrics: Metrics): AsyncDisposable =>
  webhooks.start({ onOutcome: (status) => metrics.countWebhook(status === 'pending' ? 'failed' : status) });
