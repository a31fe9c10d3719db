import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { createAccounts } from '../../src/accounts/index.ts';
import { withLogouts } from '../../src/app/back-channel.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlDeliveryStore } from '../../src/back-channel/delivery-store-sql.ts';
import {
  createBackChannel,
  type DeliveryPolicy,
  deliveryPolicy,
  type LogoutPost,
} from '../../src/back-channel/index.ts';
import { createSqlClientStore } from '../../src/clients/client-store-sql.ts';
import { createClients } from '../../src/clients/index.ts';
import { createRevocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { createSqlActivityStore } from '../../src/sessions/activity-store-sql.ts';
import { createSessions, type SessionPolicy, type Sessions } from '../../src/sessions/index.ts';
import { createSqlSessionStore } from '../../src/sessions/session-store-sql.ts';
import { type Clock, FixedClock } from '../../src/shared/clock.ts';
import { type AccountId, type ClientId, randomText, type SessionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

const operator = { kind: 'operator' } as const;

/** What a token said, and where it went. */
export interface Sent {
  readonly url: string;
  readonly jti: string;
  readonly aud: string;
  readonly sub: string;
  readonly sid: string;
  readonly alg: string;
}

const policy: SessionPolicy = {
  limit: 2,
  onLimit: 'end-oldest',
  idleSeconds: 3600,
  absoluteSeconds: 86_400,
  pendingSeconds: 600,
  grantSeconds: 86_400,
};

/** Sessions whose end queues what their apps have to be told. */
export function createSessionsOn(database: Database, clock: Clock): Sessions {
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  return createSessions({
    store: withLogouts(createSqlSessionStore(database), createSqlDeliveryStore(database)),
    activity: createSqlActivityStore(database),
    revocations: createRevocations({ store: createSqlRevocationStore(database), clock, audit }),
    audit,
    clock,
    logger: silentLogger(),
    policy,
  });
}

/** The same on the database that tests share, at a time of its own. */
export async function createFixture(lane: SqlLane, change: Partial<DeliveryPolicy> = {}) {
  const clock = new FixedClock(Date.parse('2026-01-01') + Math.floor(Math.random() * 1e9));
  return createFixtureOn(await testDatabase(lane), clock, change);
}

/** Apps, people and sessions on real stores; only the way out is the test's. */
export async function createFixtureOn(
  database: Database,
  clock: FixedClock = new FixedClock(new Date()),
  change: Partial<DeliveryPolicy> = {},
) {
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
  const clients = createClients({ store: createSqlClientStore(database), clock, audit, allowLoopbackHttp: true });
  const deliveries = createSqlDeliveryStore(database);
  const sessions = createSessionsOn(database, clock);
  const sent: Sent[] = [];
  let answer: LogoutPost = async () => ({ status: 204 });
  /** Another node, or the same one. */
  const node = () =>
    createBackChannel({
      store: deliveries,
      clients,
      sign: async (claims, alg) => JSON.stringify({ ...claims, alg }),
      post: async (url, token, signal) => {
        sent.push({ url, ...JSON.parse(token) });
        return answer(url, token, signal);
      },
      clock,
      logger: silentLogger(),
      policy: { ...deliveryPolicy, ...change },
    });

  return {
    database,
    clock,
    sessions,
    clients,
    deliveries,
    sent,
    node,
    backChannel: node(),
    answerWith(next: LogoutPost): void {
      answer = next;
    },

    /** An app; with an address it is told. */
    async app(logoutUri?: string): Promise<ClientId> {
      const made = await clients.create(
        {
          name: 'Notes',
          kind: 'web',
          metadata: {
            redirect_uris: ['https://app.example/callback'],
            ...(logoutUri !== undefined && { backchannel_logout_uri: logoutUri }),
          },
        },
        operator,
      );
      return made.client.id;
    },

    async account(): Promise<AccountId> {
      return (await accounts.create({ email: `${randomText(20)}@example.com` }, operator)).id;
    },

    /** A browser that signed in and came back to these apps. */
    async signIn(accountId: AccountId, apps: readonly ClientId[], uid = randomText(20)) {
      const flow = randomText(20);
      const opened = await sessions.open({ accountId, kind: 'browser', flow, amr: ['pwd'] });
      if (opened.outcome !== 'opened') throw new Error('the session was refused');
      const grants = apps.map((clientId) => ({ clientId, grantId: randomText(20) }));
      await sessions.bind({ uid, accountId, flow, amr: ['pwd'], authenticatedAt: clock.now(), grants });
      return { id: opened.id as SessionId, uid };
    },
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;
