import { once } from 'node:events';
import { expect } from 'chai';
import { deliveryPolicy } from '../../src/notifications/index.ts';
import { type Logger, silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { testDatabase } from '../support/database.ts';
import { createFixture, emptyOutbox, newAddress, occasion } from './fixture.ts';

const delivery = { ...deliveryPolicy, poll: 0.02 };

describe('regular delivery', () => {
  let database: Database;

  before(async () => {
    database = await testDatabase();
    await emptyOutbox(database);
  });
  after(() => emptyOutbox(database));

  const changed = (to: string) => ({ to, template: 'password-changed', data: occasion }) as const;

  it('finds what is queued later', async () => {
    const { notifications, transport } = createFixture(database, { policy: { delivery } });
    await using _delivery = notifications.start();
    for (const to of [newAddress(), newAddress()]) {
      const sent = Promise.withResolvers<string>();
      transport.on = (mail) => sent.resolve(mail.to);
      await notifications.send(changed(to));
      expect(await sent.promise).to.equal(to);
    }
  });

  it('goes on after the database failed', async () => {
    let failures = 2;
    const flaky: Database = Object.create(database, {
      sql: {
        get() {
          failures -= 1;
          if (failures >= 0) throw new Error('the database is away');
          return database.sql;
        },
      },
    });
    const to = newAddress();
    await createFixture(database).notifications.send(changed(to));
    const { notifications, transport } = createFixture(flaky, { policy: { delivery } });
    const sent = Promise.withResolvers<void>();
    transport.on = () => sent.resolve();
    await using _delivery = notifications.start();
    await sent.promise;
    expect(failures).to.be.below(0);
  });

  it('ends soon although the mail server hangs, and frees the mail for others', async () => {
    const { notifications, transport, rows, clock } = createFixture(database, { policy: { delivery } });
    const to = newAddress();
    const begun = Promise.withResolvers<void>();
    transport.on = async (_mail, signal) => {
      begun.resolve();
      await once(signal, 'abort');
      throw signal.reason;
    };
    await notifications.send(changed(to));
    const running = notifications.start();
    await begun.promise;
    const start = performance.now();
    await running[Symbol.asyncDispose]();
    expect(performance.now() - start).to.be.below(6_000);
    const [row] = await rows(to);
    expect(row?.status).to.equal('pending');
    expect(row?.next_at.getTime()).to.equal(clock.now());
  });

  it('lets a mail that is on its way arrive before it ends, and takes no new one', async () => {
    await emptyOutbox(database);
    const { notifications, transport, rows } = createFixture(database, {
      policy: { delivery: { ...delivery, parallel: 1 } },
    });
    const [first, second] = [newAddress(), newAddress()];
    const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    transport.on = async () => {
      begun.resolve();
      await go.promise;
    };
    await notifications.send(changed(first));
    const running = notifications.start();
    await begun.promise;
    await notifications.send(changed(second));
    const ended = running[Symbol.asyncDispose]();
    go.resolve();
    await ended;
    expect((await rows(first))[0]?.status).to.equal('sent');
    expect((await rows(second))[0]).to.deep.include({ status: 'pending', attempts: 0 });
  });

  it('says once, at the start, that nothing is sent without a mail server', () => {
    const lines: string[] = [];
    const logger = { ...silentLogger(), warn: (line: string) => lines.push(line) };
    const without = (viewer: boolean): AsyncDisposable =>
      createFixture(database, {
        logger: logger as unknown as Logger,
        transport: false,
        policy: { viewer },
      }).notifications.start();
    without(true);
    expect(lines).to.deep.equal([]);
    without(false);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include('SALLYPORT_SMTP_URL');
  });

  it('sends nothing without a mail server, and keeps it until there is one', async () => {
    await emptyOutbox(database);
    const to = newAddress();
    const before = createFixture(database, { transport: false });
    await before.notifications.send(changed(to));
    expect(await before.notifications.deliver()).to.equal(0);
    expect((await before.rows(to))[0]).to.deep.include({ status: 'pending', attempts: 0 });
    const later = createFixture(database);
    expect(await later.notifications.deliver()).to.equal(1);
    expect(later.transport.sent.map((mail) => mail.to)).to.deep.equal([to]);
  });
});
