import { expect } from 'chai';
import { isGenuine, Receiver } from '../webhooks/receiver.ts';
import { type FakeServer, startFakeServer } from './command-line.ts';

describe('webhooks commands, executed by the running server', () => {
  let server: FakeServer;
  let receiver: Receiver;

  before(async () => {
    server = await startFakeServer();
    receiver = await Receiver.start();
  });
  after(async () => {
    for (const { id } of (await server.domains.webhooks.list()) ?? []) {
      await server.domains.webhooks.remove(id, { kind: 'operator' });
    }
    await receiver[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('add one, show its secret once, try it, list its deliveries and remove it', async () => {
    const added = await server.run([
      'webhooks',
      'add',
      receiver.url,
      '--event',
      'webhook.*',
      '--event',
      'api.*',
      '--json',
    ]);
    expect(added.code, added.err).to.equal(0);
    const { id, secret, events } = added.json();
    expect(events).to.deep.equal(['api.*', 'webhook.*']);
    expect((await server.run(['webhooks', 'list', '--json'])).out)
      .to.include(id)
      .and.not.include('whsec_');
    expect((await server.run(['webhooks', 'list'])).out).to.match(/ID +URL +EVENTS +STATE\n.*open/);

    expect((await server.run(['webhooks', 'test', id])).out).to.include('answered 204');
    const [message] = receiver.received;
    expect(message && (await isGenuine(message, secret))).to.equal(true);
    receiver.answer = 500;
    const failed = await server.run(['webhooks', 'test', id]);
    expect([failed.code, failed.err]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('500'),
    );
    receiver.answer = 204;

    const rotated = (await server.run(['webhooks', 'rotate-secret', id, '--overlap-hours', '0', '--json'])).json();
    await server.run(['webhooks', 'test', id]);
    const last = receiver.received.at(-1);
    expect(last && (await isGenuine(last, rotated.secret))).to.equal(true);
    expect(last && (await isGenuine(last, secret))).to.equal(false);

    await server.run(['apis', 'create', `https://${id}.example`, '--name', 'Gate']);
    await server.domains.webhooks.deliver();
    const [delivery] = (await server.run(['webhooks', 'deliveries', id, '--json'])).json();
    expect(delivery).to.include({ type: 'api.created', status: 'delivered', attempts: 1, httpStatus: 204 });
    expect((await server.run(['webhooks', 'deliveries', id])).out).to.match(/api\.created +delivered +1 +204/);

    expect((await server.run(['webhooks', 'enable', id])).code).to.equal(1);
    expect((await server.run(['webhooks', 'remove', id])).code).to.equal(0);
    expect((await server.run(['webhooks', 'remove', id])).code).to.equal(1);
  });

  it('name the option that cannot be accepted', async () => {
    const run = await server.run(['webhooks', 'add', 'http://hooks.example', '--event', 'people.*']);
    expect(run.code).to.equal(2);
    expect(run.err).to.include('<url>').and.include('https').and.include('--event').and.include('people.*');
    expect((await server.run(['webhooks', 'add', 'https://hooks.example'])).err).to.include('--event');
  });
});
