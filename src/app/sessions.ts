import type { AuditLog } from '../audit/index.ts';
import { createSqlDeliveryStore } from '../back-channel/delivery-store-sql.ts';
import type { Config } from '../config/load.ts';
import { createSqlDeviceStore } from '../devices/device-store-sql.ts';
import { createDevices, type Devices } from '../devices/index.ts';
import { createSqlRememberedStore } from '../devices/remembered-store-sql.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Risk } from '../risk/index.ts';
import { createSqlActivityStore } from '../sessions/activity-store-sql.ts';
import { createSessions, type SessionPolicy, type Sessions } from '../sessions/index.ts';
import { createSqlSessionStore } from '../sessions/session-store-sql.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import { withLogouts } from './back-channel.ts';

const policyOf = (config: Config): SessionPolicy => ({
  limit: config.SALLYPORT_SESSION_LIMIT,
  onLimit: config.SALLYPORT_SESSION_LIMIT_POLICY,
  idleSeconds: config.SALLYPORT_SESSION_IDLE_SECONDS,
  absoluteSeconds: config.SALLYPORT_SESSION_SECONDS,
  // From the last page to the app and back to us is a redirect; a device that sleeps in between may take a while.
  pendingSeconds: 600,
  grantSeconds: Math.max(config.SALLYPORT_REFRESH_FAMILY_SECONDS, config.SALLYPORT_SESSION_SECONDS),
});

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly revocations: Revocations;
  readonly audit: AuditLog;
  readonly risk: Risk;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Browsers, and who is signed in with them. */
export function createSessionParts({ config, database, revocations, audit, risk, clock, logger }: Needs): {
  readonly devices: Devices;
  readonly sessions: Sessions;
} {
  return {
    devices: createDevices({
      store: createSqlDeviceStore(database),
      remembered: createSqlRememberedStore(database),
      clock,
      audit,
      policy: { rememberDays: config.SALLYPORT_REMEMBER_DEVICE_DAYS },
    }),
    sessions: createSessions({
      store: withLogouts(createSqlSessionStore(database), createSqlDeliveryStore(database)),
      activity: createSqlActivityStore(database),
      revocations,
      audit,
      risk,
      clock,
      policy: policyOf(config),
      logger,
    }),
  };
}
