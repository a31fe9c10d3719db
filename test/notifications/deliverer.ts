// A process that queues and delivers until it is killed: `node deliverer.ts <data dir> <smtp port> <seconds ahead> <address…>`.
// It prints each address when its mail is committed, and `delivered <n>` when nothing is due any more.
import { createNotifications, createSmtpTransport } from '../../src/notifications/index.ts';
import { createSqlOutboxStore } from '../../src/notifications/outbox-store-sql.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { occasion, render, secrets } from './fixture.ts';

const [dataDir, port, ahead, ...addresses] = process.argv.slice(2);
const database = await openPglite(dataDir);
await migrate(database);
const notifications = createNotifications({
  store: createSqlOutboxStore(database),
  clock: { now: () => Date.now() + Number(ahead) * 1000 },
  logger: silentLogger(),
  secrets,
  render,
  from: { address: 'no-reply@fernhill.example' },
  transport: createSmtpTransport({ host: '127.0.0.1', port: Number(port), tls: 'none' }),
});
for (const to of addresses) {
  await notifications.send({ to, template: 'password-changed', data: occasion });
  process.stdout.write(`${to}\n`);
}
process.stdout.write(`delivered ${await notifications.deliver()}\n`);
await database[Symbol.asyncDispose]();
