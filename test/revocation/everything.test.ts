import { expect } from 'chai';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createRevocations, everythingId, type RevocationStore, type Revocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Database } from '../../src/storage/database.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

const operator = { kind: 'operator' } as const;
const unique = (): string => crypto.randomUUID();

for (const lane of everySqlLane()) {
  describe(`revocations of everything before a moment on ${lane}`, () => {
    let database: Database;
    let store: RevocationStore;
    let clock: FixedClock;
    let here: Revocations;
    let elsewhere: Revocations;
    let audit: ReturnType<typeof createAuditLog>;

    before(async () => {
      database = await testDatabase(lane);
    });
    beforeEach(() => {
      // Later than other suites on this database, so that theirs have expired.
      clock = new FixedClock('2031-05-01T00:00:00Z');
      store = createSqlRevocationStore(database);
      audit = createAuditLog(createSqlAuditStore(database), clock);
      here = createRevocations({ store, clock, audit, longestSeconds: 600 });
      elsewhere = createRevocations({ store, clock, audit });
    });
    // Everybody on this database is concerned.
    afterEach(() => database.sql('revocation').where('expires_at', '>', new Date('2031-01-01')).delete());

    const ask = async (checks: Parameters<Revocations['isRevoked']>[0]): Promise<readonly boolean[]> => {
      await elsewhere.refresh();
      return [here.isRevokedCached(checks), elsewhere.isRevokedCached(checks), await here.isRevoked(checks)];
    };
    const all = (value: boolean): readonly boolean[] => [value, value, value];
    const everything = (before?: number): Promise<void> =>
      here.revoke({ kind: 'everything', id: everythingId, reason: 'a copy was taken', by: operator, before });

    it('concern all that tells its age, up to that moment and not after it, until the last of it has expired', async () => {
      const moment = clock.now();
      clock.advance(60);
      await everything(moment);
      for (const kind of ['client', 'account', 'session', 'access', 'api'] as const) {
        expect(await ask([{ kind, id: unique(), issuedAt: moment }]), kind).to.deep.equal(all(true));
        expect(await ask([{ kind, id: unique(), issuedAt: moment + 1 }]), kind).to.deep.equal(all(false));
      }
      const both = [
        { kind: 'token', id: unique() },
        { kind: 'client', id: unique(), issuedAt: moment },
      ] as const;
      expect(await ask(both)).to.deep.equal(all(true));
      expect(await ask([{ kind: 'token', id: unique() }]), 'without an age').to.deep.equal(all(false));
      await here.refresh();
      clock.advance(599.9);
      expect(await ask(both)).to.deep.equal(all(true));
      clock.advance(0.1);
      expect(await ask(both)).to.deep.equal(all(false));
    });

    it('never go back to an earlier moment, not even for a moment', async () => {
      const late = clock.now();
      clock.advance(60);
      await everything(late);
      await everything(late - 30_000);
      expect(await ask([{ kind: 'client', id: unique(), issuedAt: late }])).to.deep.equal(all(true));
    });

    it('refuse a moment that is still to come', async () => {
      const failure = await everything(clock.now() + 1).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(AppError).and.to.have.property('code', 'invalid_input');
      expect(await ask([{ kind: 'client', id: unique(), issuedAt: 0 }])).to.deep.equal(all(false));
    });

    it('of one API leave others alone, and are audited with what they are about', async () => {
      const api = `https://${unique()}.example/`;
      await here.revoke({ kind: 'api', id: api, reason: 'its log leaked', by: operator });
      const issuedAt = clock.now();
      expect(await ask([{ kind: 'api', id: api, issuedAt }])).to.deep.equal(all(true));
      expect(await ask([{ kind: 'api', id: `${api}x`, issuedAt }])).to.deep.equal(all(false));
      const [event] = await audit.list({ subject: api, limit: 2 });
      expect(event).to.deep.include({ type: 'token.revoked', actor: operator });
      expect(event?.details).to.deep.equal({ kind: 'api', reason: 'its log leaked' });
    });

    it('are listed by page, kind and id, and counted', async () => {
      const ids = Array.from({ length: 5 }, unique);
      for (const id of ids) await here.revoke({ kind: 'token', id, reason: `no ${ids.indexOf(id)}`, by: operator });
      await here.revoke({ kind: 'client', id: 'app_x', reason: 'leaked', by: { kind: 'account', id: 'acc_1' } });
      const first = await here.list({ limit: 4 });
      const rest = await here.list({ limit: 4, after: first.at(-1)?.cursor });
      expect([...first, ...rest].map(({ reason }) => reason)).to.deep.equal([
        ...['leaked', 'no 4', 'no 3', 'no 2', 'no 1', 'no 0'],
      ]);
      expect(first[0]).to.include({ kind: 'client', by: 'account:acc_1' });
      expect((await here.list({ kind: 'token', id: ids[2] })).map(({ reason }) => reason)).to.deep.equal(['no 2']);
      expect(await here.list({ after: 'x; drop table' })).to.have.length(6);
      expect(await here.count()).to.deep.equal({ token: 5, client: 1 });
      expect(here.statistics()).to.deep.include({ total: 6 });
      expect(here.statistics()).to.not.have.property('age');
      await here.refresh();
      clock.advance(2);
      expect(here.statistics()).to.deep.include({ total: 6, age: 2000 });
      expect(here.statistics().byKind).to.deep.include({ token: 5, client: 1, everything: 0 });
    });

    it('are read anew after a hint, however many hints come, and also when one is on its way', async () => {
      let reads = 0;
      const gate = Promise.withResolvers<void>();
      const counting: RevocationStore = {
        ...store,
        async since(watermark, now) {
          const page = await store.since(watermark, now);
          reads += 1;
          if (reads === 1) await gate.promise;
          return page;
        },
      };
      const node = createRevocations({ store: counting, clock, audit });
      const id = unique();
      const first = node.refresh();
      while (reads === 0) await new Promise(setImmediate);
      // Committed after the read that is under way has seen its snapshot.
      await here.revoke({ kind: 'token', id, reason: 'test' });
      for (let hint = 0; hint < 50; hint += 1) node.hurry();
      gate.resolve();
      await first;
      while (!node.isRevokedCached([{ kind: 'token', id }])) await new Promise(setImmediate);
      expect(reads).to.equal(2);
    });
  });
}
