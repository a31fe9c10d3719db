import type { AuditLog } from '../audit/index.ts';
import { type ConnectedApps, type Consents, createConnectedApps } from '../consents/index.ts';
import { accessId, type Revocations } from '../revocation/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Database } from '../storage/database.ts';

interface Needs {
  readonly consents: Consents;
  readonly revocations: Pick<Revocations, 'revoke'>;
  readonly audit: AuditLog;
  readonly database: Database;
  readonly clock: Clock;
  /** Seconds that the longest-lived session or token of an account may still last. */
  readonly longestSeconds: number;
}

/** What people let apps do, and its end: a revocation that every look-up of a grant of both asks for. */
export const connectApps = ({ revocations, database, clock, longestSeconds, ...needs }: Needs): ConnectedApps =>
  createConnectedApps({
    ...needs,
    endAccess: (accountId, clientId, by) =>
      revocations.revoke({
        kind: 'access',
        id: accessId(accountId, clientId),
        expiresAt: clock.now() + longestSeconds * 1000,
        reason: 'the person took it back',
        by,
      }),
    transaction: (work) => database.transaction(work),
  });
