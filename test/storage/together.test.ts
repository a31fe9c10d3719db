import { expect } from 'chai';
import type { Database } from '../../src/storage/database.ts';
import { isUniqueViolation } from '../../src/storage/database.ts';
import { statement } from '../../src/storage/statement.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

const add = statement('insert into together (id, seen) values ($1, $2) returning id, seen');
const find = statement('select id, seen from together where id = $1');
const count = statement('select count(*)::integer as found from together');

for (const lane of everySqlLane()) {
  describe(`hot statements on ${lane}`, () => {
    let database: Database;
    before(async () => {
      database = await testDatabase(lane);
      await database.sql.raw('create table together (id text primary key, seen timestamptz)');
    });
    beforeEach(async () => void (await database.sql.raw('delete from together')));
    after(async () => void (await database.sql.raw('drop table together')));
    const found = async (): Promise<unknown> => (await database.query<{ found: number }>(count, []))[0]?.found;

    it('give rows with the types of their columns', async () => {
      const seen = new Date(1_700_000_000_123);
      expect(await database.query(add, ['a', seen])).to.deep.equal([{ id: 'a', seen }]);
      expect(await database.query(add, ['b', null])).to.deep.equal([{ id: 'b', seen: null }]);
      expect(await database.query(find, ['none'])).to.deep.equal([]);
    });

    it('that go together each get their own rows', async () => {
      const rows = await database.together(() =>
        Promise.all([database.query(add, ['a', null]), database.query(find, ['a']), database.query(find, ['b'])]),
      );
      expect(rows).to.deep.equal([[{ id: 'a', seen: null }], [{ id: 'a', seen: null }], []]);
    });

    it('that go together are kept together or not at all', async () => {
      await database.query(add, ['taken', null]);
      const results = await database.together(() =>
        Promise.allSettled([
          database.query(add, ['a', null]),
          database.query(add, ['taken', null]),
          database.query(add, ['b', null]),
        ]),
      );
      expect(results.every((result) => result.status === 'rejected' && isUniqueViolation(result.reason))).to.equal(
        true,
      );
      expect(await found()).to.equal(1);
      expect(await database.query(add, ['a', null])).to.have.length(1);
    });

    it('belong to the transaction that is open', async () => {
      const failed = database.transaction(async () => {
        await database.together(() =>
          Promise.all([database.query(add, ['a', null]), database.query(add, ['b', null])]),
        );
        expect(await found()).to.equal(2);
        throw new Error('undone');
      });
      expect(await failed.catch((error: unknown) => String(error))).to.equal('Error: undone');
      expect(await found()).to.equal(0);
    });

    it('refuse one that comes too late, and what is no hot statement', async () => {
      const late = database.together(async () => {
        await database.query(add, ['a', null]);
        await database.query(add, ['b', null]);
      });
      expect(await late.catch((error: unknown) => String(error))).to.contain('after the others');
      expect(await database.together(async () => database.sql('together')).catch(String)).to.contain('Only hot');
      expect(await found()).to.equal(1);
    });

    it('are planned anew when their table changed', async () => {
      const all = statement('select * from together where id = $1');
      await database.query(add, ['a', null]);
      for (let turn = 0; turn < 8; turn += 1) await database.query(all, ['a']);
      await database.sql.raw('alter table together add column more integer default 7');
      try {
        expect(await database.query(all, ['a'])).to.deep.equal([{ id: 'a', seen: null, more: 7 }]);
      } finally {
        await database.sql.raw('alter table together drop column more');
      }
    });
  });
}
