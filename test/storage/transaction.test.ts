import { expect } from 'chai';
import { type Database, isDatabaseUnavailable, isUniqueViolation } from '../../src/storage/database.ts';
import { statement, unanswered } from '../../src/storage/statement.ts';
import { afterCommit, currentUnitOfWork } from '../../src/storage/unit-of-work.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

const add = statement('insert into trip (id) values ($1) returning id');
const addUnanswered = unanswered('insert into trip (id) values ($1)');
const list = statement('select id from trip order by id');
const countUp = statement('update trip_count set n = n + 1 returning n');
const isIdle = statement('select pg_current_xact_id_if_assigned() is null as idle');

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => error,
  );

for (const lane of everySqlLane()) {
  describe(`transactions on ${lane}`, () => {
    let database: Database;
    before(async () => {
      database = await testDatabase(lane);
      await database.sql.raw('create table trip (id text primary key); create table trip_count (n integer)');
      await database.sql.raw('insert into trip_count (n) values (0)');
    });
    beforeEach(async () => void (await database.sql.raw('delete from trip')));
    afterEach('leaves no transaction open on any connection', async () => {
      const rows = await Promise.all(Array.from({ length: 8 }, () => database.query<{ idle: boolean }>(isIdle, [])));
      expect(rows.flat().every(({ idle }) => idle)).to.equal(true);
    });
    after(async () => void (await database.sql.raw('drop table trip, trip_count')));
    const kept = async (): Promise<string[]> => (await database.query<{ id: string }>(list, [])).map(({ id }) => id);

    it('keep what nobody waited for, in order, seen by what comes after it', async () => {
      await database.transaction(async () => {
        await database.query(addUnanswered, ['a']);
        expect(await kept()).to.deep.equal(['a']);
        await database.query(addUnanswered, ['b']);
        expect((await database.sql('trip').orderBy('id')).map(({ id }) => id)).to.deep.equal(['a', 'b']);
        await database.query(addUnanswered, ['c']);
      });
      expect(await kept()).to.deep.equal(['a', 'b', 'c']);
    });

    it('undo all of it, by whichever way it was written', async () => {
      for (const fails of [
        () => database.query(addUnanswered, ['b']),
        () => database.query(add, ['b']),
        async () => void (await database.sql('trip').insert({ id: 'b' })),
      ]) {
        const failure = await failureOf(
          database.transaction(async () => {
            await fails();
            throw new Error('undone');
          }),
        );
        expect(failure).to.have.property('message', 'undone');
        expect(await kept()).to.deep.equal([]);
      }
    });

    it('tell others when they are kept, outside of them, and undo what was claimed when they are not', async () => {
      const told: string[] = [];
      const run = (...ids: string[]) =>
        database.unitOfWork(Date.now(), async (unit) => {
          await database.join();
          unit.onRollback.push(async () => void told.push('undone'));
          await afterCommit(async () => {
            told.push(currentUnitOfWork() ? 'inside' : `kept ${await kept()}`);
          });
          for (const id of ids) await database.query(addUnanswered, [id]);
          expect(told).to.deep.equal([]);
        });
      await run('a', 'b');
      expect(told.splice(0)).to.deep.equal(['kept a,b']);
      expect(isUniqueViolation(await failureOf(run('c', 'c')), 'trip_pkey')).to.equal(true);
      expect(told.splice(0)).to.deep.equal(['undone']);
      expect(await kept()).to.deep.equal(['a', 'b']);
      await afterCommit(async () => void told.push('at once'));
      expect(told).to.deep.equal(['at once']);
    });

    it('are kept in no part when a write that nobody waited for fails', async () => {
      const alone = await failureOf(
        database.transaction(async () => {
          await database.query(add, ['a']);
          await database.query(addUnanswered, ['a']);
        }),
      );
      expect(isUniqueViolation(alone, 'trip_pkey')).to.equal(true);
      const only = await failureOf(
        database.transaction(async () => {
          await database.query(addUnanswered, ['a']);
          await database.query(addUnanswered, ['a']);
        }),
      );
      expect(isUniqueViolation(only, 'trip_pkey')).to.equal(true);
      expect(await kept()).to.deep.equal([]);
    });

    it('are kept in no part when that failure met somebody who did not care', async () => {
      const failure = await failureOf(
        database.transaction(async () => {
          await database.query(add, ['a']);
          await database.query(addUnanswered, ['a']);
          await database.query(add, ['b']).catch(() => undefined);
        }),
      );
      expect(failure).to.have.property('message').that.contains('nothing of it was kept');
      expect(await kept()).to.deep.equal([]);
    });

    it('begin with their first statement also when that fails', async () => {
      await database.query(add, ['taken']);
      const failure = await failureOf(database.transaction(() => database.query(add, ['taken'])));
      expect(isUniqueViolation(failure, 'trip_pkey')).to.equal(true);
      const swallowed = await failureOf(
        database.transaction(async () => {
          await database.query(add, ['taken']).catch(() => undefined);
          await database.sql('trip').insert({ id: 'b' });
        }),
      );
      expect(isUniqueViolation(swallowed, 'trip_pkey')).to.equal(true);
      expect(await kept()).to.deep.equal(['taken']);
    });

    it('give their connection back when nothing was done in them', async () => {
      for (let turn = 0; turn < 25; turn += 1) await database.transaction(async () => undefined);
      expect(await kept()).to.deep.equal([]);
    });

    it('say of the query builder that it is in one', async () => {
      expect(database.sql).not.to.have.property('isTransaction', true);
      await database.transaction(async () => expect(database.sql).to.have.property('isTransaction', true));
    });

    it('wait outside of one for what nobody asks back from', async () => {
      await database.query(addUnanswered, ['a']);
      expect(isUniqueViolation(await failureOf(database.query(addUnanswered, ['a'])), 'trip_pkey')).to.equal(true);
    });

    it('take a builder that was kept for no other transaction', async () => {
      const late = await database.transaction(async () => {
        const sql = database.sql;
        await sql('trip').insert({ id: 'a' });
        return { sql };
      });
      expect(await failureOf(Promise.resolve(late.sql('trip').insert({ id: 'late' }))))
        .to.have.property('message')
        .that.contains('over');
      expect(await kept()).to.deep.equal(['a']);
    });

    it('do not mix: fifty at once count to fifty', async () => {
      const work = () =>
        database.transaction(async () => {
          const [row] = await database.query<{ n: number }>(countUp, []);
          await database.query(addUnanswered, [`n${row?.n}`]);
          if ((row?.n ?? 0) % 5 === 0) await database.sql('trip').insert({ id: `five${row?.n}` });
        });
      await Promise.all(Array.from({ length: 50 }, work));
      expect(await kept()).to.have.length(60);
    });

    if (lane !== 'postgres') return;
    it('fail as unavailable when the connection is lost in the middle, and the next one works', async () => {
      const failure = await failureOf(
        database.transaction(async () => {
          await database.query(add, ['a']);
          const { rows } = await database.sql.raw('select pg_backend_pid() as pid');
          const { pid } = (rows as { pid: number }[])[0] ?? {};
          // By another connection: outside of this transaction's call chain.
          await killer(pid ?? 0);
          await database.query(add, ['b']);
        }),
      );
      expect(isDatabaseUnavailable(failure), String(failure)).to.equal(true);
      expect(await kept()).to.deep.equal([]);
    });
  });
}

async function killer(pid: number): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  await client.query('select pg_terminate_backend($1)', [pid]);
  await client.end();
}
