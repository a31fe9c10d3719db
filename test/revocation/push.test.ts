import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createRevocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore, revocationChannel } from '../../src/revocation/revocation-store-sql.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Database } from '../../src/storage/database.ts';
import { listenForNotices } from '../../src/storage/listen.ts';
import { testDatabase } from '../support/database.ts';

const url = process.env.TEST_DATABASE_URL ?? '';
const listeners = `select pid from pg_stat_activity where application_name = 'sallyport listen' and datname = current_database()`;

(url ? describe : describe.skip)('revocations on their way to another node', () => {
  let database: Database;
  before(async () => {
    database = await testDatabase('postgres');
  });

  const node = () => {
    const audit = createAuditLog(createSqlAuditStore(database), systemClock);
    return createRevocations({ store: createSqlRevocationStore(database), clock: systemClock, audit });
  };
  const revoke = async (id: string): Promise<void> =>
    node().revoke({ kind: 'token', id, expiresAt: Date.now() + 60_000, reason: 'test' });

  /** A node that does not poll, so what it knows came by a notice. */
  async function listeningNode() {
    const revocations = node();
    const counts = { notices: 0, lost: 0, back: 0 };
    const listening = listenForNotices(url, revocationChannel, {
      onNotice: () => {
        counts.notices += 1;
        revocations.hurry();
      },
      onLost: () => {
        counts.lost += 1;
      },
      onBack: () => {
        counts.back += 1;
      },
    });
    const until = async (wanted: () => boolean, what: string): Promise<void> => {
      for (const end = Date.now() + 5_000; !wanted(); await delay(1)) {
        if (Date.now() > end) throw new Error(`it took too long: ${what} ${JSON.stringify(counts)}`);
      }
    };
    const knows = (id: string): boolean => revocations.isRevokedCached([{ kind: 'token', id }]);
    await until(() => counts.back === 1, 'to listen');
    return { counts, knows, until, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() };
  }

  it('are there within milliseconds of their commit, and not before it', async () => {
    await using other = await listeningNode();
    const times: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const id = crypto.randomUUID();
      await revoke(id);
      const start = performance.now();
      await other.until(() => other.knows(id), 'to learn of it');
      times.push(performance.now() - start);
    }
    times.sort((one, another) => one - another);
    expect(times[10], `median of ${times.map(Math.round).join(' ')} ms`).to.be.below(250);

    const held = crypto.randomUUID();
    const before = other.counts.notices;
    await database.transaction(async () => {
      await revoke(held);
      await revoke(crypto.randomUUID());
      await delay(50);
      expect(other.counts.notices, 'before the commit').to.equal(before);
    });
    await other.until(() => other.knows(held), 'to learn of it');
    expect(other.counts.notices, 'one notice for both').to.equal(before + 1);
  });

  it('that were rolled back, or change nothing, tell nobody', async () => {
    await using other = await listeningNode();
    const before = other.counts.notices;
    await database
      .transaction(() => revoke(crypto.randomUUID()).then(() => Promise.reject(new Error('undo'))))
      .catch(() => undefined);
    const [id, last] = [crypto.randomUUID(), crypto.randomUUID()];
    const expiresAt = Date.now() + 60_000;
    const again = () => node().revoke({ kind: 'token', id, expiresAt, reason: 'test' });
    await again();
    await again();
    await revoke(last);
    await other.until(() => other.knows(last), 'to learn of the last one');
    expect(other.counts.notices).to.equal(before + 2);
  });

  it('are read when the connection that was lost is there again', async () => {
    await using other = await listeningNode();
    const { rows } = (await database.sql.raw(listeners)) as { rows: { pid: number }[] };
    const id = crypto.randomUUID();
    expect(rows.length).to.be.at.least(1);
    for (const { pid } of rows) await database.sql.raw('select pg_terminate_backend(?)', [pid]);
    await other.until(() => other.counts.lost === 1, 'to notice');
    await revoke(id);
    await other.until(() => other.knows(id), 'to read what it missed');
    expect(other.counts).to.include({ lost: 1, back: 2 });
  });

  it('wait for a database that is not there, saying so once', async () => {
    let lost = 0;
    const nobody = listenForNotices('postgres://nobody@127.0.0.1:1/none', revocationChannel, {
      onNotice: () => expect.fail('nobody can tell'),
      onLost: () => {
        lost += 1;
      },
    });
    await delay(400);
    await nobody[Symbol.asyncDispose]();
    expect(lost).to.equal(1);
  });
});
