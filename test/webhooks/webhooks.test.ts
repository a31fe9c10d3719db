import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { expect } from 'chai';
import { createNetworkGuard } from '../../src/outgoing/index.ts';
import type { AppError } from '../../src/shared/errors.ts';
import { randomText } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { createSqlDeliveryTraceStore } from '../../src/webhooks/delivery-traces-sql.ts';
import { createDeliveryTraces, deliveryPolicy } from '../../src/webhooks/index.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { createFixture, emptyWebhooks, type Fixture, happening, operator } from './fixture.ts';
import { isGenuine, Receiver } from './receiver.ts';

const subject = (): string => `acc_${randomText(24)}`;

for (const lane of sqlLanes()) {
  describe(`webhooks on ${lane}`, () => {
    let database: Database;
    let receiver: Receiver;
    before(async () => {
      database = await testDatabase(lane);
    });
    beforeEach(async () => {
      await emptyWebhooks(database);
      receiver = await Receiver.start();
    });
    afterEach(async () => {
      await receiver[Symbol.asyncDispose]();
      await emptyWebhooks(database);
    });

    const listen = ({ webhooks }: Fixture, events = ['*'], personalData = false) =>
      webhooks.add({ url: receiver.url, events, personalData }, operator);

    it('posts an event as it was promised, signed, once', async () => {
      const fixture = createFixture(database);
      const { secret } = await listen(fixture, ['account.*']);
      const id = subject();
      await fixture.audit.record(happening(id, { ip: '203.0.113.9', requestId: 'req_1', details: { secret: 'x' } }));
      await fixture.audit.record(happening(id, { type: 'session.ended' }));
      expect(await fixture.webhooks.deliver()).to.equal(1);
      expect(await fixture.webhooks.deliver()).to.equal(0);
      const [message] = receiver.received;
      if (!message) throw new Error('nothing arrived');
      expect(await isGenuine(message, secret)).to.equal(true);
      expect(await isGenuine({ ...message, body: `${message.body} ` }, secret)).to.equal(false);
      expect(await isGenuine({ ...message, id: 'evt_other' }, secret)).to.equal(false);
      expect(message.timestamp).to.equal(String(fixture.clock.now() / 1000));
      expect(JSON.parse(message.body)).to.deep.equal({
        type: 'account.created',
        version: 1,
        timestamp: new Date(fixture.clock.now()).toISOString(),
        data: { id: message.id, outcome: 'success', actor: operator, subject: id, request_id: 'req_1' },
      });
      expect(receiver.received).to.have.length(1);
    });

    it('keeps the event and its deliveries, or neither of them', async () => {
      const fixture = createFixture(database);
      await listen(fixture);
      const id = subject();
      const failure = database.transaction(async () => {
        await fixture.audit.record(happening(id));
        throw new Error('the action failed');
      });
      expect(await failure.catch((error: Error) => error.message)).to.equal('the action failed');
      expect(await fixture.audit.list({ subject: id, limit: 1 })).to.deep.equal([]);
      expect(await fixture.webhooks.deliver()).to.equal(0);
      await database.transaction(() => fixture.audit.record(happening(id)));
      expect(await fixture.webhooks.deliver()).to.equal(1);
    });

    it('goes on at once when the endpoint is back, and asks one that fails for one thing at a time', async () => {
      const fixture = createFixture(database);
      await listen(fixture);
      for (let index = 0; index < 20; index += 1) await fixture.audit.record(happening(subject()));
      receiver.answer = 503;
      await fixture.webhooks.deliver();
      expect(receiver.received.length).to.equal(deliveryPolicy.parallel);
      fixture.clock.advance(120);
      await fixture.webhooks.deliver();
      expect(receiver.received.length).to.equal(deliveryPolicy.parallel + 1);
      receiver.answer = 204;
      fixture.clock.advance(600);
      expect(await fixture.webhooks.deliver()).to.equal(20);
      expect((await fixture.webhooks.list())[0])
        .to.include({ failures: 0 })
        .and.not.to.have.property('failingSince');
    });

    it('lets one of many rotations at once win', async () => {
      const fixture = createFixture(database);
      const { endpoint } = await listen(fixture);
      const tries = Array.from({ length: 20 }, () => fixture.webhooks.rotateSecret(endpoint.id, 60, operator));
      const done = await Promise.allSettled(tries);
      const secrets = done.flatMap((one) => (one.status === 'fulfilled' ? [one.value.secret] : []));
      expect(secrets.length).to.be.at.least(1);
      for (const one of done) {
        if (one.status === 'rejected') expect((one.reason as AppError).code).to.equal('conflict');
      }
      await fixture.audit.record(happening(subject()));
      await fixture.webhooks.deliver();
      const [message] = receiver.received;
      if (!message) throw new Error('nothing arrived');
      const genuine = await Promise.all(secrets.map((secret) => isGenuine(message, secret)));
      expect(genuine).to.include(true);
    });

    it('delivers each message once, however many processes do it', async () => {
      const clock = createFixture(database).clock;
      const nodes = Array.from({ length: 5 }, () => createFixture(database, { clock }));
      const [first] = nodes;
      if (!first) throw new Error('there are nodes');
      await listen(first);
      await Promise.all(Array.from({ length: 50 }, () => first.audit.record(happening(subject()))));
      const counts = await Promise.all(nodes.map(({ webhooks }) => webhooks.deliver()));
      const late = await first.webhooks.deliver();
      expect(counts.reduce((sum, count) => sum + count, late)).to.equal(50);
      expect(new Set(receiver.received.map(({ id }) => id))).to.have.property('size', 50);
      expect(receiver.received).to.have.length(50);
    });

    // The rest is the same wherever the rows lie.
    if (lane !== sqlLanes()[0]) return;

    it('names people by their ids only, unless the endpoint asked for more', async () => {
      const fixture = createFixture(database);
      await listen(fixture);
      await listen(fixture, ['passkey.added'], true);
      const details = { passkey: 'pk_1', synced: true, name: 'Mara’s phone' };
      const event = { type: 'passkey.added', ip: '203.0.113.9', userAgent: 'Firefox', details } as const;
      await fixture.audit.record(happening(subject(), event));
      expect(await fixture.webhooks.deliver()).to.equal(2);
      const bodies = receiver.received.map(({ body }) => body).sort((one, other) => one.length - other.length);
      expect(bodies[0]).not.to.match(/203\.0\.113|Firefox|phone/);
      const { data } = JSON.parse(bodies[1] ?? '');
      expect(data).to.include({ ip: '203.0.113.9', user_agent: 'Firefox' });
      expect(data.details).to.deep.equal(details);
    });

    it('takes what is personal out of what waits when its account is purged, and sends the rest', async () => {
      const fixture = createFixture(database);
      await listen(fixture, ['*'], true);
      const [purged, other] = [subject(), subject()];
      const details = { passkey: 'pk_1', synced: true, name: 'Mara’s phone' };
      const event = { type: 'passkey.added', ip: '203.0.113.9', userAgent: 'Firefox', details } as const;
      for (const id of [purged, other]) await fixture.audit.record(happening(id, event));
      const actor = { kind: 'account', id: purged } as never;
      await fixture.audit.record(happening('app_1', { ...event, type: 'client.created', actor }));
      await createDeliveryTraces(createSqlDeliveryTraceStore(database)).erase([purged]);
      expect(await fixture.webhooks.deliver()).to.equal(3);
      const bodies = receiver.received.map(({ body }) => body);
      const about = bodies.filter((body) => body.includes(purged));
      expect(about).to.have.length(2);
      for (const body of about) expect(body).not.to.match(/203\.0\.113|Firefox|phone/);
      expect(about.some((body) => body.includes('"details":{"passkey":"pk_1","synced":true}'))).to.equal(true);
      expect(bodies.find((body) => body.includes(other)))
        .to.match(/203\.0\.113.*Firefox/)
        .and.include('phone');
    });

    it('tells nobody of what is not in the closed set', async () => {
      const fixture = createFixture(database);
      await listen(fixture);
      await fixture.audit.record(happening(subject(), { type: 'token.issued' }));
      expect(await fixture.webhooks.deliver()).to.equal(0);
    });

    it('writes nothing more when nobody listens, and hears of a new endpoint from elsewhere', async () => {
      const [here, elsewhere] = [createFixture(database), createFixture(database)];
      await here.webhooks.refresh();
      await here.audit.record(happening(subject()));
      expect(await database.sql('webhook_delivery').first()).to.equal(undefined);
      await listen(elsewhere, ['account.created']);
      await here.webhooks.refresh();
      await here.audit.record(happening(subject()));
      expect(await here.webhooks.deliver()).to.equal(1);
    });

    it('tries again with the same id, later and later, and gives up within a day', async () => {
      const fixture = createFixture(database);
      const { endpoint, secret } = await listen(fixture);
      receiver.answer = 500;
      await fixture.audit.record(happening(subject()));
      const begun = fixture.clock.now();
      const tries: number[] = [];
      for (;;) {
        await fixture.webhooks.deliver();
        tries.push((fixture.clock.now() - begun) / 1000);
        const [waiting] = await fixture.webhooks.deliveries(endpoint.id, { status: 'pending', limit: 1 });
        if (!waiting || tries.length > 20) break;
        fixture.clock.advance((waiting.nextAt - fixture.clock.now()) / 1000 - 1);
        expect(await fixture.webhooks.deliver()).to.equal(0);
        expect(receiver.received).to.have.length(tries.length);
        fixture.clock.advance(deliveryPolicy.longestRest);
      }
      expect(tries).to.have.length(deliveryPolicy.waits.length + 1);
      expect(tries.at(-1)).to.be.within(20 * 3_600, 26 * 3_600);
      expect(new Set(receiver.received.map(({ id }) => id))).to.have.property('size', 1);
      expect(new Set(receiver.received.map(({ timestamp }) => timestamp))).to.have.property('size', tries.length);
      for (const message of receiver.received) expect(await isGenuine(message, secret)).to.equal(true);
      const [delivery] = await fixture.webhooks.deliveries(endpoint.id, { limit: 10 });
      expect(delivery).to.include({ status: 'dead', attempts: tries.length, httpStatus: 500 });
      expect(delivery).not.to.have.property('body');
    });

    it('signs with two secrets while one takes the place of the other', async () => {
      const fixture = createFixture(database);
      const { endpoint, secret: old } = await listen(fixture);
      const { secret } = await fixture.webhooks.rotateSecret(endpoint.id, 3600, operator);
      await fixture.audit.record(happening(subject()));
      await fixture.webhooks.deliver();
      fixture.clock.advance(3601);
      await fixture.audit.record(happening(subject()));
      await fixture.webhooks.deliver();
      const [during, after] = receiver.received;
      if (!during || !after) throw new Error('two should have arrived');
      expect(await Promise.all([isGenuine(during, old), isGenuine(during, secret)])).to.deep.equal([true, true]);
      expect(await Promise.all([isGenuine(after, old), isGenuine(after, secret)])).to.deep.equal([false, true]);
      const table = JSON.stringify(await database.sql('webhook_endpoint'));
      for (const text of [old, secret]) expect(table).not.to.include(text.slice(6));
      expect(JSON.stringify(await fixture.webhooks.list())).not.to.include('whsec_');
    });

    it('disables what failed for days, tells of it and sends no more until it is opened again', async () => {
      const fixture = createFixture(database, { policy: { waits: [1, 1], disableTries: 3, disableAfter: 3 * 86_400 } });
      const { endpoint } = await listen(fixture, ['account.*']);
      receiver.answer = 500;
      for (let day = 0; day < 5; day += 1) {
        await fixture.audit.record(happening(subject()));
        await fixture.webhooks.deliver();
        fixture.clock.advance(86_400);
      }
      expect((await fixture.webhooks.list())[0]).to.have.property('disabledAt');
      expect(fixture.recorded.filter(({ type }) => type === 'webhook.disabled')).to.have.length(1);
      const before = receiver.received.length;
      await fixture.audit.record(happening(subject()));
      expect(await fixture.webhooks.deliver()).to.equal(0);
      expect(receiver.received.length).to.equal(before);
      receiver.answer = 204;
      await fixture.webhooks.enable(endpoint.id, operator);
      await fixture.audit.record(happening(subject()));
      expect(await fixture.webhooks.deliver()).to.equal(1);
    });

    it('disables an endpoint at once that says it is gone', async () => {
      const fixture = createFixture(database);
      await listen(fixture);
      receiver.answer = 410;
      await fixture.audit.record(happening(subject()));
      await fixture.webhooks.deliver();
      expect((await fixture.webhooks.list())[0]).to.have.property('disabledAt');
    });

    it('forgets what is over after a week', async () => {
      const fixture = createFixture(database);
      const { endpoint } = await listen(fixture);
      await fixture.audit.record(happening(subject()));
      await fixture.webhooks.deliver();
      expect(await fixture.webhooks.purge()).to.equal(0);
      fixture.clock.advance(8 * 86_400);
      expect(await fixture.webhooks.purge()).to.equal(1);
      expect(await fixture.webhooks.deliveries(endpoint.id, { limit: 10 })).to.deep.equal([]);
    });

    it('takes with it what waits when it is removed', async () => {
      const fixture = createFixture(database);
      const { endpoint } = await listen(fixture);
      await fixture.audit.record(happening(subject()));
      await fixture.webhooks.remove(endpoint.id, operator);
      expect(await fixture.webhooks.deliver()).to.equal(0);
      const error = await fixture.webhooks.remove(endpoint.id, operator).catch((thrown: AppError) => thrown.code);
      expect(error).to.equal('not_found');
      expect(await database.sql('webhook_delivery')).to.deep.equal([]);
    });
  });
}

describe('where webhooks go', () => {
  let database: Database;
  let receiver: Receiver;
  const guard = createNetworkGuard({ variable: 'X_NETWORKS', networks: [], anywhere: false });
  before(async () => {
    database = await testDatabase();
    receiver = await Receiver.start();
  });
  after(async () => {
    await receiver[Symbol.asyncDispose]();
    await emptyWebhooks(database);
  });
  beforeEach(() => emptyWebhooks(database));

  it('takes https addresses without secrets in them, and plain ones on this machine in development', async () => {
    const refused = async (url: string, allowLoopback = true): Promise<unknown> => {
      const { webhooks } = createFixture(database, { allowLoopback });
      return webhooks.add({ url, events: ['*'] }, operator).then(
        () => undefined,
        (error: AppError) => error.details.fields?.url,
      );
    };
    const bad = ['http://hooks.example', 'https://u:p@hooks.example', 'https://hooks.example#x', 'ftp://x', 'hooks'];
    for (const url of bad) expect(await refused(url), url).to.be.a('string');
    expect(await refused('http://127.0.0.1:9', false)).to.be.a('string');
    expect(await refused('http://127.0.0.1:9')).to.equal(undefined);
    expect(await refused('https://hooks.example/x?y=z')).to.equal(undefined);
    const unknown = createFixture(database).webhooks.add({ url: 'https://x.example', events: ['user.*'] }, operator);
    expect(await unknown.catch((error: AppError) => error.details.fields?.events)).to.include('user.*');
  });

  it('reaches no private address, whatever a name says at the moment of the request', async () => {
    const port = new URL(receiver.url).port;
    let asked = 0;
    const fixture = createFixture(database, {
      guard,
      // A name that is public when somebody looks and private when somebody connects.
      resolve: (_name, answer) => {
        asked += 1;
        answer(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    for (const url of [`http://localhost:${port}/`, `http://127.0.0.1:${port}/`, `http://[::1]:${port}/`]) {
      const { endpoint } = await fixture.webhooks.add({ url, events: ['*'] }, operator);
      expect((await fixture.webhooks.test(endpoint.id)).error, url).to.include('not public');
    }
    expect(asked).to.equal(1);
    expect(receiver.received).to.have.length(0);
  });

  it('connects to what was checked, also when a name has more addresses', async () => {
    const networks = ['127.0.0.1'];
    const fixture = createFixture(database, {
      guard: createNetworkGuard({ variable: 'X_NETWORKS', networks, anywhere: false }),
      resolve: (_name, answer) =>
        answer(null, [
          { address: '169.254.169.254', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    const url = receiver.url.replace('127.0.0.1', 'localhost');
    const { endpoint } = await fixture.webhooks.add({ url, events: ['*'] }, operator);
    expect(await fixture.webhooks.test(endpoint.id)).to.deep.equal({ status: 204 });
    expect(JSON.parse(receiver.received.at(-1)?.body ?? '')).to.include({ type: 'webhook.test', version: 1 });
  });

  it('follows no redirect', async () => {
    const fixture = createFixture(database);
    const { endpoint } = await fixture.webhooks.add({ url: receiver.url, events: ['*'] }, operator);
    receiver.answer = 307;
    receiver.headers = { location: receiver.url.replace('/hook', '/elsewhere') };
    const before = receiver.received.length;
    expect(await fixture.webhooks.test(endpoint.id)).to.deep.equal({ status: 307 });
    expect(receiver.received.length).to.equal(before + 1);
    receiver.answer = 204;
    receiver.headers = {};
  });

  it('tries again, and can end, when an endpoint answers with another protocol', async () => {
    const fixture = createFixture(database, { policy: { answer: 0.5 } });
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
    await using other = createSocketServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(answer));
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/hook`;
    const { endpoint } = await fixture.webhooks.add({ url, events: ['*'] }, operator);
    await fixture.audit.record(happening(subject()));
    expect(await fixture.webhooks.test(endpoint.id)).to.deep.equal({ status: 101 });
    const worker = fixture.webhooks.start();
    const waiting = () => fixture.webhooks.deliveries(endpoint.id, { status: 'pending', limit: 1 });
    while ((await waiting())[0]?.httpStatus !== 101) await new Promise((resolve) => setTimeout(resolve, 10));
    await worker[Symbol.asyncDispose]();
  });

  it('waits for one endpoint only so long, and holds no other one up meanwhile', async () => {
    const fixture = createFixture(database, { policy: { answer: 0.5 } });
    await using slow = await Receiver.start();
    let release = (): void => undefined;
    const held = new Promise<number>((resolve) => {
      release = () => resolve(204);
    });
    slow.answer = () => held;
    const { endpoint } = await fixture.webhooks.add({ url: slow.url, events: ['*'] }, operator);
    await fixture.webhooks.add({ url: receiver.url, events: ['*'] }, operator);
    for (let index = 0; index < 12; index += 1) await fixture.audit.record(happening(subject()));
    const before = receiver.received.length;
    expect(await fixture.webhooks.deliver()).to.equal(12);
    release();
    expect(receiver.received.length - before).to.equal(12);
    const [failed] = await fixture.webhooks.deliveries(endpoint.id, { status: 'pending', limit: 20 });
    expect(failed).to.not.equal(undefined);
    const errors = (await fixture.webhooks.deliveries(endpoint.id, { limit: 20 })).map(({ error }) => error);
    expect(errors.filter((error) => error?.includes('within 0.5 seconds'))).to.have.length(4);
  });
});
