// A process that writes until it is killed and prints each row number after its commit: `node writer.ts <data dir>`.
import { openPglite } from '../../src/storage/pglite.js';
const database = await openPglite(process.argv[2], {
    onProgress: (text) => process.stderr.write(`${text}\n`),
});
await database.sql.raw('create table if not exists acked (id int primary key, filler text)');
const { rows } = await database.sql.raw('select count(*)::int as next from acked');
for (let id = rows[0].next;; id += 1) {
    const filler = String(id).repeat(200);
    if (id % 3 === 0) {
        await database.transaction(async () => {
            await database.sql('acked').insert({ id, filler });
            await database.sql('acked').where({ id }).update({ filler: 'kept' });
        });
    }
    else {
        await database.sql('acked').insert({ id, filler });
    }
    if (id % 97 === 0)
        await database.sql.raw('checkpoint');
    process.stdout.write(`${id}\n`);
}
