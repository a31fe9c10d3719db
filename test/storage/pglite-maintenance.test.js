import { expect } from 'chai';
import { openPglite } from '../../src/storage/pglite.js';
import { maintain } from '../../src/storage/pglite-maintenance.js';
const never = { everyMs: 1e9, walBytes: Number.MAX_SAFE_INTEGER, deadRows: 1e9 };
describe('maintenance of the embedded database', () => {
    let database;
    before(async () => {
        database = await openPglite(undefined);
        await database.sql.raw('create table kept (id int primary key, filler text)');
    });
    after(() => database[Symbol.asyncDispose]());
    it('makes a checkpoint when the log has grown, and only then', async () => {
        await database.sql.raw(`insert into kept select i, repeat('x', 100) from generate_series(1, 2000) i`);
        expect(await maintain(database.sql, { ...never, walBytes: 100_000 })).to.deep.equal(['checkpoint']);
        expect(await maintain(database.sql, { ...never, walBytes: 100_000 })).to.deep.equal([]);
    });
    it('vacuums a table with many dead rows, so that it does not grow without end', async () => {
        const size = async () => Number((await database.sql.raw(`select pg_relation_size('kept') as size`)).rows[0].size);
        const churn = async () => {
            await database.sql.raw(`update kept set filler = repeat('y', 100)`);
            const done = [];
            const due = async () => {
                done.push(...(await maintain(database.sql, { ...never, deadRows: 500 })));
                return done.length > 0;
            };
            // Counts of dead rows are reported once a second at most.
            for (const end = performance.now() + 5_000; !(await due()) && performance.now() < end;) {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            expect(done).to.deep.equal(['vacuum public.kept']);
        };
        await churn();
        await churn();
        const settled = await size();
        await churn();
        expect(await size()).to.be.at.most(settled);
    });
});
