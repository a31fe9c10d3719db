import { expect } from 'chai';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { createSqlAuditCounts } from '../../src/audit/audit-statistics-sql.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type AuditEvent, createAuditLog, createAuditStatistics } from '../../src/audit/index.ts';
import { createSqlClientStore } from '../../src/clients/client-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { randomText } from '../../src/shared/ids.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';

const day = 86_400_000;

for (const lane of sqlLanes()) {
  describe(`numbers of the overview on ${lane}`, () => {
    let database: Database;

    before(async () => {
      database = await testDatabase(lane);
    });

    it('counts events by day and type, borders included', async () => {
      // A week that no other test of this database writes to.
      const since = Date.parse('2021-01-04T00:00:00Z');
      const clock = new FixedClock(since);
      const audit = createAuditLog(createSqlAuditStore(database), clock);
      const record = (type: AuditEvent['type']) =>
        audit.record({ type, actor: { kind: 'system' }, outcome: type.endsWith('failed') ? 'failure' : 'success' });
      await record('sign_in.succeeded');
      clock.advance(-0.001);
      await record('sign_in.succeeded');
      clock.advance(86_400);
      await record('sign_in.succeeded');
      await record('sign_in.failed');
      clock.advance(0.001);
      await record('sign_in.succeeded');
      clock.advance(6 * 86_400);
      await record('sign_in.succeeded');
      clock.advance(-0.001);
      await record('second_factor.failed');

      const statistics = createAuditStatistics(createSqlAuditCounts(database));
      const question = { since, bucketMilliseconds: day, buckets: 7 };
      expect(await statistics.count({ ...question, types: ['sign_in.succeeded'] })).to.deep.equal([
        2, 1, 0, 0, 0, 0, 0,
      ]);
      expect(await statistics.count({ ...question, types: ['sign_in.failed', 'second_factor.failed'] })).to.deep.equal([
        1, 0, 0, 0, 0, 0, 1,
      ]);
      expect(await statistics.count({ ...question, types: [] })).to.deep.equal([0, 0, 0, 0, 0, 0, 0]);
      const capped = await createSqlAuditCounts(database).count({ ...question, types: ['sign_in.succeeded'] }, 1);
      expect(capped.filter(({ count }) => count > 0)).to.have.deep.members([
        { type: 'sign_in.succeeded', bucket: 0, count: 1 },
        { type: 'sign_in.succeeded', bucket: 1, count: 1 },
      ]);
    });

    it('walks along the index, however full the log is', async () => {
      const plan: string[] = [];
      await database.unitOfWork(
        Date.now(),
        async () => {
          await database.join();
          // So many that the planner has a choice to make, and none of them stays.
          await database.sql.raw(`
            insert into audit_event (id, at, type, outcome, actor_kind)
            select 'evt_plan_' || n, now() - n * interval '1 second', case n % 50 when 0 then 'sign_in.failed' else 'token.issued' end,
              'success', 'system'
            from generate_series(1, 20000) as n`);
          await database.sql.raw('analyze audit_event');
          const { rows } = (await database.sql.raw(
            `explain select type, at from audit_event where type = 'sign_in.failed' and at >= now() - interval '7 days'
             order by at desc limit 1000`,
          )) as { rows: Record<string, string>[] };
          plan.push(...rows.map((row) => JSON.stringify(row)));
        },
        () => false,
      );
      expect(plan.join('\n')).to.include('audit_event_type');
    });

    it('stops counting where it is told', async () => {
      const store = createSqlAccountStore(database);
      const before = await store.count(1_000_000);
      const now = Date.now();
      for (const status of ['active', 'suspended', 'deleted'] as const) {
        const email = `${randomText(12)}@people.example`;
        const names = { id: `acc_${randomText(24)}` as never, email, emailKey: email };
        const facts = { emailVerified: true, status, roles: [], profile: {}, phoneNumberVerified: false };
        await store.insert({ ...names, ...facts, createdAt: now, updatedAt: now, version: 1 });
      }
      expect(await store.count(1_000_000)).to.equal(before + 2);
      expect(await store.count(1)).to.equal(1);
      expect(await createSqlClientStore(database).count(0)).to.equal(0);
    });

    it('counts accounts that are paused, and neither the careful nor names that nobody has', async () => {
      const store = createSqlThrottleStore(database);
      // Far from the clock of other tests, who share the table.
      const now = Date.parse('2033-01-01T00:00:00Z');
      const count = (at: number): Promise<number> =>
        store.countLocked({ tries: 3, since: at - 60_000, now: at, atMost: 100 });
      const fail = async (key: string, times: number): Promise<void> => {
        for (let turn = 0; turn < times; turn += 1) await store.reserve({ account: key }, [0, 0, 60_000], now + turn);
      };
      await fail(`acc_${randomText(24)}`, 3);
      await fail(`acc_${randomText(24)}`, 3);
      await fail(`acc_${randomText(24)}`, 2);
      await fail(`login:${randomText(24)}`, 3);
      expect(await count(now + 10)).to.equal(2);
      expect(await count(now + 61_000)).to.equal(0);
    });
  });
}
