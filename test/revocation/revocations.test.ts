import { expect } from 'chai';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createRevocations, type RevocationStore, type Revocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import type { Database } from '../../src/storage/database.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

const unique = (): string => crypto.randomUUID();
const minute = 60_000;

for (const lane of everySqlLane()) {
  describe(`revocations on ${lane}`, () => {
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
      clock = new FixedClock();
      store = createSqlRevocationStore(database);
      audit = createAuditLog(createSqlAuditStore(database), clock);
      here = createRevocations({ store, clock, audit });
      elsewhere = createRevocations({ store, clock, audit });
    });

    const revoke = (kind: 'token' | 'grant' | 'account' | 'client', id: string, seconds = 600) =>
      here.revoke({ kind, id, expiresAt: clock.now() + seconds * 1000, reason: 'test' });

    it('count at once here and in the database, and on other nodes after a refresh', async () => {
      const id = unique();
      await elsewhere.refresh();
      expect(await here.isRevoked([{ kind: 'token', id }])).to.equal(false);
      expect(here.isRevokedCached([{ kind: 'token', id }])).to.equal(false);
      await revoke('token', id);
      expect(here.isRevokedCached([{ kind: 'token', id }])).to.equal(true);
      expect(await elsewhere.isRevoked([{ kind: 'token', id }])).to.equal(true);
      expect(elsewhere.isRevokedCached([{ kind: 'token', id }])).to.equal(false);
      await elsewhere.refresh();
      expect(elsewhere.isRevokedCached([{ kind: 'token', id }])).to.equal(true);
    });

    it('count while their transaction is open, and no longer when it is rolled back', async () => {
      const id = unique();
      await revoke('account', id);
      clock.advance(5);
      const after = [{ kind: 'account', id, issuedAt: clock.now() }] as const;
      const undone = database.transaction(async () => {
        clock.advance(1);
        await revoke('account', id);
        expect(here.isRevokedCached(after)).to.equal(true);
        throw new Error('another came first');
      });
      expect(await undone.catch((error: Error) => error.message)).to.equal('another came first');
      expect(here.isRevokedCached(after)).to.equal(false);
      expect(here.isRevokedCached([{ kind: 'account', id, issuedAt: clock.now() - 6_000 }])).to.equal(true);
    });

    it('are found by any one of the checks, and only by kind and id together', async () => {
      const [id, other] = [unique(), unique()];
      await revoke('grant', id);
      const others = [
        { kind: 'token', id },
        { kind: 'account', id },
        { kind: 'grant', id: other },
      ] as const;
      for (const ask of [
        (checks: Parameters<Revocations['isRevoked']>[0]) => here.isRevokedCached(checks),
        here.isRevoked.bind(here),
      ]) {
        expect(await ask(others)).to.equal(false);
        expect(await ask([...others, { kind: 'grant', id }])).to.equal(true);
        expect(await ask([])).to.equal(false);
      }
    });

    it('end when the last token that they concern has expired', async () => {
      const id = unique();
      await revoke('token', id, 60);
      await here.refresh();
      clock.advance(59.999);
      expect(await here.isRevoked([{ kind: 'token', id }])).to.equal(true);
      expect(here.isRevokedCached([{ kind: 'token', id }])).to.equal(true);
      clock.advance(0.001);
      expect(await here.isRevoked([{ kind: 'token', id }])).to.equal(false);
      expect(here.isRevokedCached([{ kind: 'token', id }])).to.equal(false);
    });

    it('keep the later end when they are made 50 times at once', async () => {
      const id = unique();
      await Promise.all(Array.from({ length: 50 }, (_, index) => revoke('token', id, 1 + ((index * 7) % 50))));
      const rows = await database.sql('revocation').where({ id_hash: sha256(id) });
      expect(rows).to.have.length(1);
      expect(rows[0].expires_at.getTime()).to.equal(clock.now() + 50_000);
    });

    it('are audited when they change something, with the hash of a token and the id of an account', async () => {
      const [token, account] = [unique(), `acc_${unique()}`];
      await revoke('token', token);
      clock.advance(1);
      await here.revoke({ kind: 'token', id: token, expiresAt: clock.now(), reason: 'again' });
      const rows = await audit.list({ subject: sha256(token), limit: 5 });
      expect(rows.map(({ type }) => type)).to.deep.equal(['token.revoked']);
      expect(await audit.list({ subject: token, limit: 5 })).to.have.length(0);
      const by = { kind: 'account', id: account } as const;
      await here.revoke({ kind: 'account', id: account, expiresAt: clock.now() + minute, reason: 'test', by });
      const [row] = await audit.list({ subject: account, limit: 5 });
      expect(row?.actor).to.deep.equal(by);
    });

    it('do not hold an id readably', async () => {
      const id = unique();
      await revoke('token', id);
      const dump = JSON.stringify([await database.sql('revocation'), await database.sql('audit_event')]);
      expect(dump).to.include(sha256(id)).and.not.include(id);
    });

    it('of an account leave alone what it was issued later', async () => {
      const id = unique();
      const before = clock.now();
      clock.advance(10);
      await revoke('account', id);
      const later = clock.now() + 1;
      await here.refresh();
      for (const ask of [
        (checks: Parameters<Revocations['isRevoked']>[0]) => here.isRevokedCached(checks),
        here.isRevoked.bind(here),
      ]) {
        expect(await ask([{ kind: 'account', id, issuedAt: before }])).to.equal(true);
        expect(await ask([{ kind: 'account', id, issuedAt: clock.now() }])).to.equal(true);
        expect(await ask([{ kind: 'account', id, issuedAt: later }])).to.equal(false);
        expect(await ask([{ kind: 'account', id }])).to.equal(true);
      }
      clock.advance(10);
      await revoke('account', id);
      expect(await here.isRevoked([{ kind: 'account', id, issuedAt: later }])).to.equal(true);
    });

    it('that are rolled back count nowhere', async () => {
      const id = unique();
      await database
        .transaction(async () => {
          await revoke('token', id);
          throw new Error('undo');
        })
        .catch((error: Error) => expect(error.message).to.equal('undo'));
      expect(await here.isRevoked([{ kind: 'token', id }])).to.equal(false);
      await elsewhere.refresh();
      expect(here.isRevokedCached([{ kind: 'token', id }])).to.equal(false);
      expect(elsewhere.isRevokedCached([{ kind: 'token', id }])).to.equal(false);
    });

    it('are not lost when nothing was refreshed for longer than memory expects', async () => {
      const id = unique();
      await revoke('token', id);
      await here.refresh();
      clock.advance(120);
      await here.refresh();
      expect(here.isRevokedCached([{ kind: 'token', id }])).to.equal(true);
    });

    if (lane === 'postgres') {
      it('of a transaction that began earlier and committed later are not missed', async () => {
        const [slow, quick] = [unique(), unique()];
        const begun = Promise.withResolvers<void>();
        const gate = Promise.withResolvers<void>();
        const late = database.transaction(async () => {
          await revoke('token', slow);
          begun.resolve();
          await gate.promise;
        });
        await begun.promise;
        await revoke('token', quick);
        await elsewhere.refresh();
        expect(elsewhere.isRevokedCached([{ kind: 'token', id: quick }])).to.equal(true);
        expect(elsewhere.isRevokedCached([{ kind: 'token', id: slow }])).to.equal(false);
        gate.resolve();
        await late;
        await elsewhere.refresh();
        expect(elsewhere.isRevokedCached([{ kind: 'token', id: slow }])).to.equal(true);
      });
    }

    it('are read anew when the database was replaced by one that counts from lower', async () => {
      const id = unique();
      await revoke('token', id);
      const page = await store.since('9223372036854775807', clock.now());
      expect(page.complete).to.equal(true);
      expect(page.rows.map(({ idHash }) => idHash)).to.include(sha256(id));
      const next = await store.since(page.watermark, clock.now());
      expect(next.complete).to.equal(false);
      expect(next.rows.map(({ idHash }) => idHash)).to.not.include(sha256(id));
    });

    it('are polled while started, report failures, and stop when disposed', async () => {
      const id = unique();
      const failures: unknown[] = [];
      let away = true;
      const flaky: RevocationStore = {
        ...store,
        since: (watermark, now) => (away ? Promise.reject(new Error('away')) : store.since(watermark, now)),
      };
      const node = createRevocations({ store: flaky, clock, audit });
      expect(node.cacheAge()).to.equal(Number.POSITIVE_INFINITY);
      const first = Promise.withResolvers<void>();
      const polling = node.start({
        onError: (error) => {
          failures.push(error);
          away = false;
          first.resolve();
        },
      });
      await first.promise;
      expect(node.cacheAge()).to.equal(Number.POSITIVE_INFINITY);
      await revoke('token', id);
      while (!node.isRevokedCached([{ kind: 'token', id }])) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(node.cacheAge()).to.equal(0);
      expect(failures).to.have.length(1);
      await polling[Symbol.asyncDispose]();
    });

    it('are purged after they expired, and not before', async () => {
      const ids = Array.from({ length: 30 }, unique);
      await Promise.all(ids.map((id, index) => revoke('token', id, index < 20 ? 60 : 120)));
      const count = async (): Promise<number> =>
        (await database.sql('revocation').whereIn('id_hash', ids.map(sha256))).length;
      clock.advance(59);
      await here.purge();
      expect(await count()).to.equal(30);
      clock.advance(1);
      expect(await here.purge()).to.be.at.least(20);
      expect(await count()).to.equal(10);
    });

    it('cost microseconds from memory, with a hundred thousand of them', async function () {
      this.timeout(60_000);
      const rows = Array.from({ length: 100_000 }, (_, index) => ({
        kind: 'token' as const,
        idHash: sha256(`t${index}`),
        revokedAt: clock.now(),
        expiresAt: clock.now() + minute,
      }));
      const full: RevocationStore = { ...store, since: async () => ({ rows, watermark: '1', complete: true }) };
      const node = createRevocations({ store: full, clock, audit });
      await node.refresh();
      const checks = [
        { kind: 'token', id: 'none' },
        { kind: 'grant', id: 'none' },
        { kind: 'account', id: 'none' },
        { kind: 'client', id: 'none' },
      ] as const;
      const start = process.hrtime.bigint();
      for (let index = 0; index < 5_000; index += 1) node.isRevokedCached(checks);
      const microseconds = Number(process.hrtime.bigint() - start) / 1000 / 5_000;
      expect(node.isRevokedCached([{ kind: 'token', id: 't99999' }])).to.equal(true);
      expect(microseconds).to.be.lessThan(200);
    });
  });
}
