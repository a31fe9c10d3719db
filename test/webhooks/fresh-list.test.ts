import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { startRevocationPush } from '../../src/app/revocation-push.ts';
import { randomText } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { openPostgres } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createMetrics } from '../../src/web/metrics.ts';
import { createSqlEndpointStore } from '../../src/webhooks/endpoint-store-sql.ts';
import { testDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { createFixture, emptyWebhooks, happening, operator } from './fixture.ts';

const endpoint = { url: 'http://127.0.0.1:9/', events: ['account.created'] };
const count = async (database: Database): Promise<number> =>
  (await database.sql('webhook_delivery').select('event_id')).length;

describe('the list of who wants events', () => {
  it('is not taken from before a change that came while it was read', async () => {
    const database = await testDatabase();
    await emptyWebhooks(database);
    const gate = Promise.withResolvers<void>();
    const store = createSqlEndpointStore(database);
    let slow = true;
    const endpoints = {
      ...store,
      async list() {
        const found = await store.list();
        if (slow) {
          slow = false;
          await gate.promise;
        }
        return found;
      },
    };
    const { webhooks, audit } = createFixture(database, { endpoints });
    const reading = webhooks.refresh();
    await webhooks.add(endpoint, operator);
    gate.resolve();
    await reading;
    await audit.record(happening(`acc_${randomText(24)}`));
    expect(await count(database)).to.equal(1);
    await emptyWebhooks(database);
  });

  it('is heard of by other nodes when it is committed, and when the connection comes back', async function () {
    const sql = process.env.TEST_DATABASE_URL;
    if (!sql) return this.skip();
    await using stack = new AsyncDisposableStack();
    const { url: DATABASE_URL } = stack.use(await createTestDatabase(sql));
    const database = stack.use(openPostgres(DATABASE_URL, { poolSize: 4 }));
    await migrate(database);
    const [here, elsewhere] = [createFixture(database), createFixture(database)];
    const revocations = { hurry: () => undefined, statistics: () => ({ total: 0, byKind: {} as never }) };
    const logger = silentLogger();
    const others = { clients: { hurry: () => undefined }, apis: { hurry: () => undefined } };
    const metrics = createMetrics();
    const parts = { config: { DATABASE_URL }, revocations, webhooks: here.webhooks, ...others, metrics, logger };
    stack.use(startRevocationPush(parts));
    /** Until an event that happens here goes to as many. */
    const until = async (endpoints: number): Promise<void> => {
      for (const end = performance.now() + 3_000; performance.now() < end; await delay(10)) {
        await database.sql('webhook_delivery').delete();
        await here.audit.record(happening(`acc_${randomText(24)}`));
        if ((await count(database)) === endpoints) return;
      }
      throw new Error(`it was not heard of: ${endpoints}`);
    };
    await until(0);
    await here.webhooks.refresh();
    const { endpoint: first } = await elsewhere.webhooks.add(endpoint, operator);
    await until(1);

    const closing = await createSqlEndpointStore(database).setDisabled(first.id, true, Date.now());
    expect(closing).to.equal(true);
    await here.webhooks.refresh();
    await database.sql.raw(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'sallyport listen' and datname = current_database()`);
    await elsewhere.webhooks.enable(first.id, operator);
    await until(1);
  });
});
