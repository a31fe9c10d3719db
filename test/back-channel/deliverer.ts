// A process that tells apps until it is killed: `node deliverer.ts <data dir> <seconds ahead> <session id…>`.
// It ends these sessions, prints `ended <n>` when that is committed, and twice `tries <n>` when nothing is due any more.
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlDeliveryStore } from '../../src/back-channel/delivery-store-sql.ts';
import { createBackChannel, createLogoutPost, deliveryPolicy } from '../../src/back-channel/index.ts';
import { createSqlClientStore } from '../../src/clients/client-store-sql.ts';
import { createClients } from '../../src/clients/index.ts';
import { createGuardedPost } from '../../src/outgoing/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { createSessionsOn } from './fixture.ts';

const [dataDir, ahead, ...ids] = process.argv.slice(2);
const database = await openPglite(dataDir);
const clock = { now: () => Date.now() + Number(ahead) * 1000 };
const audit = createAuditLog(createSqlAuditStore(database), clock);
const sessions = createSessionsOn(database, clock);
for (const id of ids) await sessions.end(id, { kind: 'operator' });
if (ids.length > 0) process.stdout.write(`ended ${ids.length}\n`);
const backChannel = createBackChannel({
  store: createSqlDeliveryStore(database),
  clients: createClients({ store: createSqlClientStore(database), clock, audit }),
  sign: async (claims) => claims.jti,
  post: createLogoutPost(createGuardedPost({ guard: { allows: () => true, refusal: '' }, seconds: 5 })),
  clock,
  logger: silentLogger(),
  policy: deliveryPolicy,
});
for (let turn = 0; turn < 2; turn += 1) process.stdout.write(`tries ${await backChannel.deliver()}\n`);
await database[Symbol.asyncDispose]();
