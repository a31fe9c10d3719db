import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { createAccounts } from '../../src/accounts/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlDeviceStore } from '../../src/devices/device-store-sql.ts';
import { createDevices } from '../../src/devices/index.ts';
import { createSqlRememberedStore } from '../../src/devices/remembered-store-sql.ts';
import { createRevocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { createSqlActivityStore } from '../../src/sessions/activity-store-sql.ts';
import { createSessions, type EndedSession, type SessionPolicy, type Sessions } from '../../src/sessions/index.ts';
import { createSqlSessionStore } from '../../src/sessions/session-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { type AccountId, randomText, type SessionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

const operator = { kind: 'operator' } as const;

export const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
export const meta = { ip: '192.0.2.7', userAgent: firefox, requestId: 'req_test' };
export const fresh = (): string => randomText(20);

/** Sessions and devices on real stores, with a clock of their own. */
export async function createFixture(
  lane: SqlLane,
  { rememberDays = 30, ...change }: Partial<SessionPolicy> & { rememberDays?: number } = {},
) {
  const database = await testDatabase(lane);
  const clock = new FixedClock();
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
  const revocations = createRevocations({ store: createSqlRevocationStore(database), clock, audit });
  const policy: SessionPolicy = {
    limit: 5,
    onLimit: 'end-oldest',
    idleSeconds: 0,
    absoluteSeconds: 14 * 86_400,
    pendingSeconds: 600,
    grantSeconds: 90 * 86_400,
    ...change,
  };
  const sessionParts = {
    store: createSqlSessionStore(database),
    activity: createSqlActivityStore(database),
    revocations,
    audit,
    clock,
    policy,
    logger: silentLogger(),
  };
  const sessions = createSessions(sessionParts);
  const told: EndedSession[] = [];
  sessions.onEnd(async (ended) => void told.push(ended));
  const devices = createDevices({
    store: createSqlDeviceStore(database),
    remembered: createSqlRememberedStore(database),
    clock,
    audit,
    policy: { rememberDays },
  });

  return {
    database,
    clock,
    audit,
    revocations,
    sessions,
    devices,
    /** What listeners were told of. */
    told,
    /** Another node on the same database. */
    otherNode: (): Sessions => createSessions(sessionParts),

    async account(): Promise<AccountId> {
      const { id } = await accounts.create({ email: `${fresh()}@example.com` }, operator);
      return id;
    },

    /** A browser that signed in and came back to the app, with one grant. */
    async signIn(accountId: AccountId, deviceId?: string) {
      const [flow, uid, grantId] = [fresh(), fresh(), fresh()];
      const opened = await sessions.open({ accountId, kind: 'browser', flow, deviceId, amr: ['pwd'] }, meta);
      if (opened.outcome !== 'opened') throw new Error('the session was refused');
      const grants = [{ clientId: 'app_notes', grantId }];
      const authenticatedAt = clock.now();
      const outcome = await sessions.bind({ uid, accountId, flow, amr: ['pwd'], authenticatedAt, grants }, meta);
      return { id: opened.id as SessionId, uid, flow, grantId, authenticatedAt, outcome };
    },

    isRevoked: (kind: 'session' | 'grant', id: string, issuedAt?: number): Promise<boolean> =>
      revocations.isRevoked([{ kind, id, issuedAt }]),

    history: async (accountId: AccountId, type: string) =>
      (await audit.list({ subject: accountId, type, limit: 200 })).map(({ actor, details }) => ({ actor, details })),
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;
export const fifty = Array.from({ length: 50 }, (_, index) => index);
