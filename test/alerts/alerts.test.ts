import { expect } from 'chai';
import { createSqlAlertStore } from '../../src/alerts/alert-store-sql.ts';
import type { Facts } from '../../src/alerts/facts.ts';
import { type Alert, type Alerts, createAlerts } from '../../src/alerts/index.ts';
import { createSqlOperationsReader } from '../../src/alerts/operations-sql.ts';
import type { AuditEvent } from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';

const idle = { waiting: 0, oldestSeconds: 0 };
const quiet: Facts = {
  failedSignIns: 0,
  lockouts: 0,
  tokenReuses: 0,
  disabledWebhooks: 0,
  mail: idle,
  webhooks: idle,
  keysLateSeconds: 0,
  breakerOpen: false,
  auditSealSeconds: 0,
};

for (const lane of sqlLanes()) {
  describe(`alerts on ${lane}`, () => {
    let database: Database;
    let clock: FixedClock;
    let facts: Facts;
    let told: Alert[];
    let recorded: AuditEvent[];
    beforeEach(async () => {
      database = await testDatabase(lane);
      await database.sql('alert_state').delete();
      clock = new FixedClock();
      facts = quiet;
      told = [];
      recorded = [];
    });
    after(() => database.sql('alert_state').delete());

    const node = (tell: (alert: Alert) => Promise<void> = async (alert) => void told.push(alert)): Alerts =>
      createAlerts({
        store: createSqlAlertStore(database),
        clock,
        audit: { record: async (event) => void recorded.push(event) },
        facts: async () => facts,
        tell,
        thresholds: { failedSignIns: 10, lockouts: 5, tokenReuses: 1, stuck: 900 },
        policy: { throttle: 3600, remind: 86_400, quiet: 300 },
        every: 30,
      });

    it('are raised by one of many nodes that look at the same moment', async () => {
      facts = { ...quiet, failedSignIns: 12, breakerOpen: true };
      const counts = await Promise.all(Array.from({ length: 10 }, () => node().evaluate()));
      expect(counts.filter((count) => count > 0)).to.deep.equal([2]);
      expect(told.map(({ rule, kind }) => `${rule} ${kind}`)).to.deep.equal([
        'failed_sign_ins raised',
        'redis_away raised',
      ]);
      expect(recorded[0]).to.deep.include({ type: 'alert.raised', subject: 'failed_sign_ins' });
      expect(recorded[0]?.details).to.include({ value: 12, threshold: 10 });
    });

    it('are neither repeated nor lost by a restart', async () => {
      facts = { ...quiet, lockouts: 9 };
      const failing = node(async () => {
        throw new Error('killed before the commit');
      });
      expect(await failing.evaluate().catch((error: Error) => error.message)).to.include('killed');
      expect(await node().evaluate()).to.equal(1);
      for (let turn = 0; turn < 5; turn += 1) {
        clock.advance(30);
        expect(await node().evaluate()).to.equal(0);
      }
      facts = quiet;
      clock.advance(301);
      expect(await node().evaluate()).to.equal(1);
      expect(told.map(({ kind }) => kind)).to.deep.equal(['raised', 'resolved']);
      clock.advance(30);
      expect(await node().evaluate()).to.equal(0);
    });

    it('tell metrics which rules fire', async () => {
      facts = { ...quiet, tokenReuses: 1 };
      await node().evaluate();
      const found = await createSqlOperationsReader(database).read(clock.now());
      expect(found.firing).to.deep.equal(['token_reuse']);
      expect(found.sessions).to.be.a('number');
      expect(found.mail.oldestSeconds).to.be.at.least(0);
    });
  });
}
