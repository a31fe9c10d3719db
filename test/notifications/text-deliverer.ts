// A process that queues texts and delivers them until it is killed:
// `node text-deliverer.ts <data dir> <gateway url> <seconds ahead> <number…>`. It prints each number when its message is
// committed, and `delivered <n>` when nothing is due any more.
import { createNotifications, createSmsGateway } from '../../src/notifications/index.ts';
import { createSqlOutboxStore } from '../../src/notifications/outbox-store-sql.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { render, secrets } from './fixture.ts';

const [dataDir, url = '', ahead, ...numbers] = process.argv.slice(2);
const clock = { now: () => Date.now() + Number(ahead) * 1000 };
const database = await openPglite(dataDir);
await migrate(database);
const notifications = createNotifications({
  store: createSqlOutboxStore(database),
  clock,
  logger: silentLogger(),
  secrets,
  render,
  from: { address: 'no-reply@fernhill.example' },
  gateway: createSmsGateway({ url, secret: 'a secret of the gateway, long enough' }, clock),
});
for (const phoneNumber of numbers) {
  await notifications.sendText({ phoneNumber, kind: 'sign-in-code', text: `for ${phoneNumber}` });
  process.stdout.write(`${phoneNumber}\n`);
}
process.stdout.write(`delivered ${await notifications.deliver()}\n`);
await database[Symbol.asyncDispose]();
