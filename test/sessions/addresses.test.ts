import { expect } from 'chai';
import { createNetworkList, noLocations } from '../../src/locations/index.ts';
import { createRisk, defaultRiskPolicy, type RiskAction } from '../../src/risk/index.ts';
import { createSqlRiskFacts } from '../../src/risk/risk-facts-sql.ts';
import { createSqlActivityStore } from '../../src/sessions/activity-store-sql.ts';
import { createSessions } from '../../src/sessions/index.ts';
import type { ActivityStore } from '../../src/sessions/session-store.ts';
import { createSqlSessionStore } from '../../src/sessions/session-store-sql.ts';
import type { AccountId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, fifty, fresh, meta } from './fixture.ts';

const elsewhere = { ...meta, ip: '198.51.100.9' };

for (const lane of sqlLanes()) {
  describe(`addresses of sessions on ${lane}`, function () {
    this.timeout(20_000);
    let fixture: Fixture;
    let accountId: AccountId;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      accountId = await fixture.account();
    });

    /** Nodes that look at addresses, and how often they asked the database. */
    const nodes = (action: RiskAction) => {
      const { database, clock, audit, revocations, devices } = fixture;
      const asked = { touch: 0, move: 0 };
      const store = createSqlActivityStore(database);
      const activity: ActivityStore = {
        ...store,
        touch: (...given) => {
          asked.touch += 1;
          return store.touch(...given);
        },
        move: (...given) => {
          asked.move += 1;
          return store.move(...given);
        },
      };
      const risk = createRisk({
        facts: createSqlRiskFacts(database),
        devices,
        locations: noLocations,
        listed: createNetworkList([]),
        policy: { ...defaultRiskPolicy, 'address-changed': action },
        audit,
        clock,
      });
      const policy = { limit: 0, onLimit: 'refuse', idleSeconds: 0, absoluteSeconds: 86_400 } as const;
      const lives = { pendingSeconds: 600, grantSeconds: 90 * 86_400 };
      const parts = { store: createSqlSessionStore(database), activity, revocations, audit, risk, clock };
      const node = () => createSessions({ ...parts, policy: { ...policy, ...lives }, logger: silentLogger() });
      return { node, asked };
    };
    const found = () => fixture.history(accountId, 'risk.detected');
    const lastSeen = async () => {
      const [row] = await fixture.database.sql('session').where({ account_id: accountId }).select('last_ip');
      return row.last_ip;
    };

    it('are looked at at once when they change, and once a minute each', async () => {
      const { clock, signIn } = fixture;
      const { uid, authenticatedAt } = await signIn(accountId);
      const { node, asked } = nodes('note');
      const sessions = node();
      const use = (from: object) => sessions.touch(uid, authenticatedAt, from);
      for (let turn = 0; turn < 5; turn += 1)
        for (const from of [meta, elsewhere]) expect(await use(from)).to.equal('live');
      expect(asked).to.deep.equal({ touch: 2, move: 1 });
      expect(await found()).to.have.length(1);
      expect(await lastSeen()).to.equal(elsewhere.ip);
      clock.advance(61);
      for (const from of [elsewhere, elsewhere, meta, meta]) expect(await use(from)).to.equal('live');
      expect(asked).to.deep.equal({ touch: 4, move: 2 });
      expect(await found()).to.have.length(2);
    });

    it('end a session within the minute in which it was seen at home, and leave no trace of the other one', async () => {
      const { signIn } = fixture;
      const { uid, authenticatedAt, grantId } = await signIn(accountId);
      const sessions = nodes('end').node();
      expect(await sessions.touch(uid, authenticatedAt, meta)).to.equal('live');
      expect(await sessions.touch(uid, authenticatedAt, elsewhere)).to.equal('over');
      expect(await sessions.list(accountId)).to.deep.equal([]);
      expect(await fixture.isRevoked('session', uid, authenticatedAt)).to.equal(true);
      expect(await fixture.isRevoked('grant', grantId)).to.equal(true);
      expect(await lastSeen(), 'by which the next sign-in is judged').to.equal(meta.ip);
    });

    it('are written down once, however many come at the same moment', async () => {
      const { signIn } = fixture;
      for (const action of ['note', 'end'] as const) {
        const { uid, authenticatedAt } = await signIn(accountId);
        const { node } = nodes(action);
        // One connection makes of fifty a queue.
        const all = lane === 'pglite' ? fifty.slice(0, 5) : fifty;
        const many = await Promise.all(all.map(() => node().touch(uid, authenticatedAt, elsewhere)));
        expect(new Set(many), action).to.deep.equal(new Set([action === 'end' ? 'over' : 'live']));
      }
      expect((await found()).map(({ details }) => details?.action).sort()).to.deep.equal(['end', 'note']);
      expect(await fixture.history(accountId, 'session.ended')).to.have.length(1);
    });

    it('count for the session of an app as well, by its handle', async () => {
      const { clock } = fixture;
      const { node, asked } = nodes('second-factor');
      const sessions = node();
      const grants = [{ clientId: 'app_native', grantId: fresh() }];
      const opened = await sessions.open({ accountId, kind: 'api', flow: fresh(), amr: ['pwd'], grants }, meta);
      if (opened.outcome !== 'opened') throw new Error('the session was refused');
      clock.advance(120);
      for (let turn = 0; turn < 3; turn += 1) expect(await sessions.touchApp(opened.id, meta)).to.equal('live');
      expect(asked.touch).to.equal(1);
      expect((await sessions.list(accountId))[0]?.lastActiveAt).to.equal(clock.now());
      expect(await sessions.touchApp(opened.id, elsewhere)).to.equal('over');
      expect(await sessions.touchApp(opened.id, meta), 'at home').to.equal('over');
      expect(await node().touchApp(opened.id, meta), 'another node').to.equal('over');
      expect(await fixture.isRevoked('grant', grants[0]?.grantId ?? '')).to.equal(true);
      expect(await sessions.touchApp('ses_nobody', meta)).to.equal('unknown');
    });

    it('of many sessions are forgotten in the end, and looked at again', async () => {
      const { signIn } = fixture;
      const { uid, authenticatedAt } = await signIn(accountId);
      const { node, asked } = nodes('off');
      const sessions = node();
      for (let host = 0; host < 150; host += 1) await sessions.touch(uid, authenticatedAt, { ip: `203.0.113.${host}` });
      expect(asked.touch).to.equal(150);
      await sessions.touch(uid, authenticatedAt, { ip: '203.0.113.149' });
      await sessions.touch(uid, authenticatedAt, { ip: '203.0.113.60' });
      expect(asked.touch, 'the last hundred').to.equal(150);
      await sessions.touch(uid, authenticatedAt, { ip: '203.0.113.3' });
      expect(asked.touch).to.equal(151);
    });
  });
}
