import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { createAuditTraces } from '../../src/account-data/audit-traces-sql.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createLog, type Log } from './fixture.ts';

const day = 86_400;

for (const lane of sqlLanes()) {
  describe(`the audit chain on ${lane}`, () => {
    let log: Log;
    before(async () => {
      log = await createLog(lane);
    });
    after(() => log[Symbol.asyncDispose]());
    beforeEach(() => log.clear());

    const raw = (text: string, values: readonly (string | number)[] = []) => log.database.sql.raw(text, [...values]);

    it('numbers what was written, in its order, and holds', async () => {
      await log.write(7);
      expect((await log.chain.status()).waiting).to.equal(7);
      expect(await log.seal()).to.equal(7);
      const status = await log.chain.status();
      expect(status).to.deep.include({
        waiting: 0,
        sealedAt: log.clock.now(),
        start: { number: 0, hash: '00'.repeat(32) },
      });
      expect(status.head.number).to.equal(7);
      expect(await log.verify({ expected: status.head })).to.deep.include({
        phase: 'done',
        checked: 7,
        erased: 0,
        backdated: 0,
      });
      expect(await log.seal()).to.equal(0);
      expect((await log.verify({ from: 4 })).checked).to.equal(4);
      const { rows } = await log.database.sql.raw<{ rows: { subject: string }[] }>(
        'select e.subject from audit_seal s join audit_event e on e.id = s.event_id order by s.number',
      );
      const subjects = rows.map(({ subject }) => Number(subject.slice(4)));
      expect(subjects).to.deep.equal([...subjects].sort((one, other) => one - other));
    });

    it('is what docs/audit.md says, to whoever computes it from the tables alone', async () => {
      await log.write(3);
      await log.seal();
      const { rows } = await log.database.sql.raw<{ rows: Record<string, string>[] }>(
        `select e.*, round(extract(epoch from at) * 1000000)::text as micros, encode(salt, 'hex') as salt,
                encode(s.hash, 'hex') as hash, s.number
         from audit_seal s join audit_event e on e.id = s.event_id order by number`,
      );
      const quote = (value: unknown): string => JSON.stringify(value);
      let previous = '00'.repeat(32);
      for (const row of rows) {
        const details = '{"acr":"aal2","amr":["pwd","otp"],"tries":1.5}';
        const personal = createHash('sha256')
          .update(Buffer.from(row.salt ?? '', 'hex'))
          .update(`{"details":${details},"ip":"192.0.2.7","userAgent":"curl/8.5.0"}`)
          .digest('hex');
        const text =
          `{"actorId":${quote(row.actor_id)},"actorKind":"account","at":${quote(row.micros)},"clientId":"app_1",` +
          `"id":${quote(row.id)},"number":${row.number},"outcome":"success","personal":"${personal}",` +
          `"requestId":${quote(row.request_id)},"sessionId":${quote(row.session_id)},"subject":${quote(row.subject)},` +
          `"type":"sign_in.succeeded","version":1}`;
        previous = createHash('sha256')
          .update(previous + text)
          .digest('hex');
        expect(row.hash).to.equal(previous);
      }
      expect(rows).to.have.length(3);
    });

    describe('finds', () => {
      beforeEach(async () => {
        await log.write(6);
        await log.seal();
      });

      const idAt = async (number: number): Promise<string> => {
        const [row] = (await log.database.sql('audit_seal').where({ number }).select('event_id')) as {
          event_id: string;
        }[];
        return row?.event_id ?? '';
      };
      const fault = async (expected?: { number: number; hash: string }) =>
        (await log.verify(expected ? { expected } : {})).fault;

      for (const change of [
        `type = 'sign_in.failed'`,
        `outcome = 'failure'`,
        `at = at + interval '1 microsecond'`,
        `actor_id = 'acc_other'`,
        `subject = null`,
        `client_id = 'app_2'`,
        `ip = '192.0.2.8'`,
        `user_agent = null`,
        `request_id = 'req_x'`,
        `session_id = null`,
        `details = details || '{"acr":"aal1"}'`,
        `ip = null, user_agent = null, details = null`,
      ]) {
        it(`a changed field: ${change}`, async () => {
          await raw(`update audit_event set ${change} where id = ?`, [await idAt(4)]);
          expect(await fault()).to.deep.equal({ number: 4, kind: 'changed', eventId: await idAt(4) });
        });
      }

      it('a deleted event, with its link and without', async () => {
        const id = await idAt(3);
        await raw('delete from audit_event where id = ?', [id]);
        expect(await fault()).to.deep.equal({ number: 3, kind: 'missing', eventId: id });
        await raw('delete from audit_seal where number = 3');
        expect(await fault()).to.deep.equal({ number: 3, kind: 'missing' });
      });

      it('an event slipped in beside the chain, and in it', async () => {
        const [before, after] = [await idAt(2), await idAt(3)];
        await raw(
          `insert into audit_event (id, at, type, outcome, actor_kind, tx)
           select 'evt_x', at + interval '1 millisecond', 'key.revoked', 'success', 'system', tx from audit_event where id = ?`,
          [before],
        );
        expect(await fault()).to.deep.equal({ number: 3, kind: 'inserted', eventId: 'evt_x' });
        await raw('update audit_seal set number = number + 1000 where number >= 3');
        await raw('update audit_seal set number = number - 999 where number > 1000');
        await raw(`insert into audit_seal select 3, 'evt_x', salt, personal, hash from audit_seal where event_id = ?`, [
          after,
        ]);
        expect(await fault()).to.deep.equal({ number: 3, kind: 'changed', eventId: 'evt_x' });
      });

      it('swapped events', async () => {
        const [one, other] = [await idAt(2), await idAt(5)];
        await raw(`update audit_seal set event_id = 'x' where number = 2`);
        await raw('update audit_seal set event_id = ? where number = 5', [one]);
        await raw('update audit_seal set event_id = ? where number = 2', [other]);
        expect(await fault()).to.deep.include({ number: 2, kind: 'changed' });
      });

      it('a removed tail, also where the head was set back', async () => {
        const { head } = await log.chain.status();
        await raw(`delete from audit_event where id in (select event_id from audit_seal where number > 4)`);
        await raw('delete from audit_seal where number > 4');
        expect(await fault()).to.deep.equal({ number: 5, kind: 'missing' });
        await raw('update audit_chain set number = 4, hash = (select hash from audit_seal where number = 4)');
        expect(await fault(), 'nothing to compare with').to.equal(undefined);
        expect(await fault(head)).to.deep.equal({ number: 5, kind: 'missing' });
      });

      it('a tail that was computed again, by a head that was written down', async () => {
        const { head } = await log.chain.status();
        await raw(`update audit_event set type = 'sign_in.failed' where id = ?`, [await idAt(5)]);
        await raw('delete from audit_seal where number > 4');
        await raw(
          `update audit_chain set number = 4, hash = s.hash, tx = e.tx, at = e.at, event_id = e.id
           from audit_seal s join audit_event e on e.id = s.event_id where s.number = 4`,
        );
        expect(await log.seal()).to.equal(2);
        expect(await fault()).to.equal(undefined);
        expect(await fault(head)).to.deep.equal({ number: 6, kind: 'other-head' });
      });

      it('nothing to compare before its own beginning', async () => {
        const { head } = await log.chain.status();
        const error = await log.verify({ from: 5, expected: { ...head, number: 2 } }).catch((thrown: Error) => thrown);
        expect(error).to.have.property('code', 'conflict');
        expect(await log.verify({ from: 9 }).catch((thrown: Error) => thrown)).to.have.property('code', 'not_found');
      });

      it('an event that is dated back, and says so without calling it a fault', async () => {
        log.clock.advance(-2 * 3600);
        await log.write(1);
        log.clock.advance(2 * 3600);
        await log.seal();
        expect(await log.verify()).to.deep.include({ phase: 'done', backdated: 1 });
      });
    });

    it('holds when a person is erased, before and after sealing', async () => {
      const person = asAccountId('acc_mara');
      const own = { actor: { kind: 'account', id: person }, subject: person } as const;
      const erase = () => createAuditTraces(log.database).erase([person]);
      await log.write(2, own);
      await erase();
      await log.write(2, own);
      await log.write(1, { actor: { kind: 'account', id: person }, subject: 'app_1' });
      await log.write(1);
      await log.seal();
      await erase();
      expect(await log.verify()).to.deep.include({ phase: 'done', checked: 6, erased: 3 });
      const rows = await log.database.sql('audit_event').whereNotNull('ip');
      expect(rows).to.have.length(1);
      const kept = await log.database.sql('audit_seal').whereNotNull('salt');
      expect(kept, 'of the bystander, and of two that had nothing').to.have.length(3);
      await raw(`update audit_event set ip = '192.0.2.1' where actor_id = 'acc_mara'`);
      expect((await log.verify()).fault, 'something put back').to.deep.include({ kind: 'changed' });
    });

    // The embedded database has one connection, so nothing there is late.
    (lane === 'pglite' ? it.skip : it)('passes nothing over that is committed late', async () => {
      await log.write(2);
      let go = (): void => undefined;
      const wait = new Promise<void>((resolve) => {
        go = resolve;
      });
      let begun = (): void => undefined;
      const started = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const late = log.database.transaction(async () => {
        await log.write(1, { details: { late: true } });
        // Nobody waits for the row itself, so it leaves with this at the latest.
        await log.database.sql.raw('select 1');
        begun();
        await wait;
      });
      await started;
      await log.write(3);
      for (let turn = 0; turn < 20 && (await log.chain.status()).head.number < 2; turn += 1) await log.chain.seal();
      expect(await log.chain.seal(), 'only what is older than the open transaction').to.equal(0);
      expect((await log.chain.status()).head.number).to.equal(2);
      go();
      await late;
      expect(await log.seal()).to.equal(4);
      expect(await log.verify()).to.deep.include({ phase: 'done', checked: 6 });
    });

    it('is sealed once by many at a time, while events keep coming', async () => {
      const nodes = Array.from({ length: 3 }, () => log.otherNode());
      const writers = Array.from({ length: 6 }, () => log.write(20));
      while ((await log.chain.status()).head.number < 120) {
        await Promise.all([...nodes.map((node) => node.seal()), new Promise((resolve) => setImmediate(resolve))]);
      }
      await Promise.all(writers);
      expect(await log.verify()).to.deep.include({ phase: 'done', checked: 120 });
    });

    it('begins later when what is too old was removed, and says so in itself', async () => {
      await log.write(3);
      await log.seal();
      const old = (await log.chain.status()).head;
      log.clock.advance(300 * day);
      await log.write(2);
      await log.seal();
      const { head } = await log.chain.status();
      log.clock.advance(100 * day);
      expect(await log.chain.prune()).to.equal(3);
      expect(await log.chain.prune()).to.equal(0);
      await log.seal();
      expect(await log.chain.status()).to.deep.include({ start: old });
      expect(await log.verify({ expected: head })).to.deep.include({ phase: 'done', checked: 3 });
      expect((await log.verify({ expected: old })).fault).to.equal(undefined);
      const [event] = await log.audit.list({ type: 'audit.pruned', limit: 1 });
      expect(event?.details).to.deep.equal({ removed: 3, number: 3, hash: old.hash });
      await raw(`update audit_chain set start_hash = decode(repeat('11', 32), 'hex')`);
      expect((await log.verify()).fault).to.deep.include({ number: 4, kind: 'changed' });
    });

    it('keeps what is unsealed and what comes after a gap, however old', async () => {
      await log.write(3);
      await log.seal();
      await log.write(1);
      await raw('delete from audit_event where id = (select event_id from audit_seal where number = 2)');
      log.clock.advance(500 * day);
      expect(await log.chain.prune()).to.equal(1);
      expect((await log.verify()).fault).to.deep.include({ number: 2, kind: 'missing' });
      expect((await log.chain.status()).waiting).to.be.at.least(1);
    });

    it('goes on after a move to a server that counts its transactions from a lower number', async () => {
      await log.write(3);
      await log.seal();
      await log.write(1);
      await raw(`update audit_event set tx = '900000000'`);
      await raw(`update audit_chain set tx = '900000000'`);
      await log.write(2);
      await log.seal();
      expect((await log.chain.status()).head.number).to.equal(6);
      await log.write(1);
      await log.seal();
      expect(await log.verify()).to.deep.include({ phase: 'done', checked: 7 });
    });
  });
}
