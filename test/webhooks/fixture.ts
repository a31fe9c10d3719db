import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type AuditEvent, type AuditLog, createAuditLog } from '../../src/audit/index.ts';
import { createNetworkGuard, type NetworkGuard, type Resolve } from '../../src/outgoing/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { createSqlDeliveryStore } from '../../src/webhooks/delivery-store-sql.ts';
import { createSqlEndpointStore } from '../../src/webhooks/endpoint-store-sql.ts';
import { createWebhooks, type DeliveryPolicy, type EndpointStore, type Webhooks } from '../../src/webhooks/index.ts';

export const operator = { kind: 'operator' } as const;
export const secrets = new SecretRing(['webhook-test-secret-webhook-test-secret']);

export interface Fixture {
  readonly webhooks: Webhooks;
  /** Writes to the log that the webhooks hang on. */
  readonly audit: AuditLog;
  readonly clock: FixedClock;
  readonly recorded: AuditEvent[];
}

/** Deliverers take whatever is due, so no test may leave something to the next. */
export async function emptyWebhooks(database: Database): Promise<void> {
  await database.sql('webhook_delivery').delete();
  await database.sql('webhook_endpoint').delete();
}

export function createFixture(
  database: Database,
  options: {
    policy?: Partial<DeliveryPolicy>;
    guard?: NetworkGuard;
    resolve?: Resolve;
    allowLoopback?: boolean;
    clock?: FixedClock;
    endpoints?: EndpointStore;
  } = {},
): Fixture {
  const clock = options.clock ?? new FixedClock();
  const recorded: AuditEvent[] = [];
  const record = async (event: AuditEvent): Promise<void> => {
    recorded.push(event);
    await audit.record(event);
  };
  const webhooks = createWebhooks({
    endpoints: options.endpoints ?? createSqlEndpointStore(database),
    deliveries: createSqlDeliveryStore(database),
    together: (work) => database.together(work),
    clock,
    secrets,
    audit: { record },
    logger: silentLogger(),
    guard: options.guard ?? createNetworkGuard({ variable: 'X_NETWORKS', networks: [], anywhere: true }),
    allowLoopback: options.allowLoopback ?? true,
    ...(options.policy && { policy: options.policy }),
    ...(options.resolve && { resolve: options.resolve }),
  });
  const audit = createAuditLog(webhooks.observe(createSqlAuditStore(database)), clock);
  return { webhooks, audit, clock, recorded };
}

/** Something that happened to an account. */
export const happening = (subject: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'account.created',
  actor: operator,
  outcome: 'success',
  subject,
  ...more,
});
