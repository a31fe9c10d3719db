import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { createSmsGateway, DeliveryFailure, type TextMessage } from '../../src/notifications/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { GatewayStub } from './gateway-stub.ts';

const key = Buffer.from('an-hmac-key-of-a-gateway-32-byte');
const secret = `whsec_${key.toString('base64')}`;
const message: TextMessage = { id: 'text_7qf2mxd', to: '+4915112345678', kind: 'sign-in-code', text: '12345678 "<é🔑' };
const open = new AbortController().signal;

describe('the SMS gateway', () => {
  const clock = new FixedClock('2026-11-21T08:42:10.250Z');

  async function failure(stub: GatewayStub, signal = open): Promise<DeliveryFailure> {
    const error = await createSmsGateway({ url: stub.url, secret }, clock)
      .send(message, signal)
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof DeliveryFailure)) throw new Error(`it did not fail as a delivery: ${error}`);
    return error;
  }

  it('is told number and text as JSON, signed as Standard Webhooks are', async () => {
    await using stub = await GatewayStub.start();
    await createSmsGateway({ url: stub.url, secret }, clock).send(message, open);
    const [{ method, path, headers, body } = { method: '', path: '', headers: {}, body: '' }] = stub.received;
    expect([method, path, headers['content-type']]).to.deep.equal(['POST', '/sms?account=7', 'application/json']);
    expect(JSON.parse(body)).to.deep.equal({
      type: 'text.send',
      timestamp: '2026-11-21T08:42:10.250Z',
      data: message,
    });
    const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
    expect([id, timestamp]).to.deep.equal([message.id, String(Date.parse('2026-11-21T08:42:10Z') / 1000)]);
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).to.equal(`v1,${signature}`);
  });

  it('signs each try anew under the same id, and with a plain secret too', async () => {
    await using stub = await GatewayStub.start();
    const plain = 'a plain secret of the gateway, 32+';
    const gateway = createSmsGateway({ url: stub.url, secret: plain }, clock);
    await gateway.send(message, open);
    clock.advance(30);
    await gateway.send(message, open);
    const [first, second] = stub.received;
    expect(second?.headers['webhook-id']).to.equal(first?.headers['webhook-id']);
    expect(Number(second?.headers['webhook-timestamp'])).to.equal(Number(first?.headers['webhook-timestamp']) + 30);
    const signed = `${message.id}.${second?.headers['webhook-timestamp']}.${second?.body}`;
    const signature = createHmac('sha256', plain).update(signed).digest('base64');
    expect(second?.headers['webhook-signature']).to.equal(`v1,${signature}`);
  });

  it('is judged by its status: this message never, this one later, or none for now', async () => {
    await using stub = await GatewayStub.start();
    const kinds = { refused: [400, 413, 422], later: [500, 502, 504], away: [401, 403, 404, 408, 410, 429, 503] };
    for (const [kind, list] of Object.entries(kinds)) {
      for (const status of list) {
        stub.answer = (response) => response.writeHead(status).end('about +4915112345678');
        const error = await failure(stub);
        expect(error.kind, String(status)).to.equal(kind);
        expect(error.message).to.equal(`The SMS gateway answered ${status}.`);
      }
    }
    for (const status of [200, 201, 202, 204]) {
      stub.answer = (response) => response.writeHead(status).end();
      await createSmsGateway({ url: stub.url, secret }, clock).send(message, open);
    }
  });

  it('cannot send the server elsewhere', async () => {
    await using stub = await GatewayStub.start();
    await using elsewhere = await GatewayStub.start();
    for (const status of [301, 302, 303, 307, 308]) {
      stub.answer = (response) => response.writeHead(status, { location: elsewhere.url }).end();
      expect((await failure(stub)).kind, String(status)).to.equal('away');
    }
    expect(stub.received).to.have.length(5);
    expect(elsewhere.received).to.have.length(0);
  });

  it('may cut the connection, say nothing, or never end: it is away, or taken by its status', async () => {
    await using stub = await GatewayStub.start();
    stub.answer = (response) => response.destroy();
    expect((await failure(stub)).kind).to.equal('away');
    const asked = Promise.withResolvers<void>();
    stub.answer = () => asked.resolve();
    const stop = new AbortController();
    const silent = failure(stub, stop.signal);
    await asked.promise;
    stop.abort();
    expect((await silent).kind).to.equal('away');
    const cut = Promise.withResolvers<void>();
    stub.answer = (response: ServerResponse) => {
      const timer = setInterval(() => response.write('x'.repeat(10_000)), 5);
      response.once('close', () => {
        clearInterval(timer);
        cut.resolve();
      });
    };
    await createSmsGateway({ url: stub.url, secret }, clock).send(message, open);
    await cut.promise;
  });

  it('is away when nobody listens', async () => {
    const stub = await GatewayStub.start();
    const { url } = stub;
    await stub[Symbol.asyncDispose]();
    const error = await createSmsGateway({ url, secret }, clock)
      .send(message, open)
      .catch((thrown: unknown) => thrown);
    expect(error).to.deep.include({ kind: 'away' });
  });

  it('has a safe address and a secret worth the name, or there is none', () => {
    const bad = [
      'http://sms.example/send',
      'http://10.0.0.1/send',
      'http://localhost.sms.example/send',
      'https://user:password@sms.example/',
      'https://token@sms.example/',
      'https://sms.example/#part',
      'ftp://sms.example/',
      'file:///etc/passwd',
      'data:text/plain,x',
    ];
    for (const url of bad) expect(() => createSmsGateway({ url, secret }, clock), url).to.throw(RangeError);
    for (const url of ['https://sms.example/send?to=1', 'http://localhost:9999/', 'http://[::1]:9999/']) {
      expect(() => createSmsGateway({ url, secret }, clock), url).not.to.throw();
    }
    for (const weak of ['', 'short', 'whsec_', 'whsec_c2hvcnQ=', 'x'.repeat(23)]) {
      expect(() => createSmsGateway({ url: 'https://sms.example/', secret: weak }, clock), weak).to.throw(RangeError);
    }
  });
});
