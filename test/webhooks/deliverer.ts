// A process that writes events and delivers until it is killed: `node deliverer.ts <data dir> <seconds ahead> <url> <subject…>`.
// It prints each subject when its event is committed, and `delivered <n>` when nothing is due any more.
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { createFixture, happening, operator } from './fixture.ts';

const [dataDir, ahead, url = '', ...subjects] = process.argv.slice(2);
const database = await openPglite(dataDir);
await migrate(database);
const clock = new FixedClock(Date.parse('2026-01-01T00:00:00Z') + Number(ahead) * 1000);
const { webhooks } = createFixture(database, { clock });
if ((await webhooks.list()).length === 0) await webhooks.add({ url, events: ['account.*'] }, operator);
const audit = createAuditLog(webhooks.observe(createSqlAuditStore(database)), clock);
for (const subject of subjects) {
  await audit.record(happening(subject));
  process.stdout.write(`${subject}\n`);
}
process.stdout.write(`delivered ${await webhooks.deliver()}\n`);
await database[Symbol.asyncDispose]();
