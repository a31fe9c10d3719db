import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Client } from '../../src/clients/index.ts';
import type { RefusalLimit } from '../../src/forward-auth/index.ts';
import { type RpcServer, startRpc } from '../../src/rpc/index.ts';
import { loadProtos } from '../../src/rpc/protos.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { answerOf, basic, codeOf, RpcClient } from './rpc-client.ts';

const introspect = 'sallyport.v1.TokenService/Introspect';
const batch = 'sallyport.v1.TokenService/Batch';
const check = 'envoy.service.auth.v3.Authorization/Check';
const health = 'grpc.health.v1.Health/Check';
const unlimited: RefusalLimit = { ask: (_shown, ask) => ask() };
const authorization = basic('known', 'secret');
const kib = 1024;

/** A call as no library makes it. */
class RawCall {
  readonly stream: ClientHttp2Stream;
  readonly #begun = performance.now();
  /** `grpc-status`, once there is one. */
  readonly status: Promise<number>;
  /** Milliseconds until the server had closed its end of the stream. */
  readonly closed: Promise<number>;

  constructor(session: ClientHttp2Session, method: string, more: Record<string, string> = {}) {
    const headers = { ':method': 'POST', ':path': `/${method}`, 'content-type': 'application/grpc', te: 'trailers' };
    this.stream = session.request({ ...headers, ...more });
    this.stream.on('error', () => undefined);
    this.stream.resume();
    const { promise, resolve } = Promise.withResolvers<number>();
    const { promise: closed, resolve: close } = Promise.withResolvers<number>();
    for (const event of ['response', 'trailers'] as const)
      this.stream.on(event, (given: Record<string, unknown>) => {
        if ('grpc-status' in given) resolve(Number(given['grpc-status']));
      });
    this.stream.once('close', () => close(performance.now() - this.#begun));
    [this.status, this.closed] = [promise, closed];
  }

  /** The first bytes of a message that says it has `length`. */
  begin(length: number, sent: number, flag = 0): this {
    const frame = Buffer.alloc(5 + sent);
    frame.writeUInt8(flag, 0);
    frame.writeUInt32BE(length, 1);
    this.stream.write(frame);
    return this;
  }
}

describe('gRPC calls that are half sent', function () {
  this.timeout(30_000);
  const stack = new AsyncDisposableStack();
  const seen: { method: string; code: string }[] = [];
  const asked: string[] = [];
  const refusedOnes: number[] = [];
  let server: RpcServer;
  /** What a question is answered with. */
  let ask: () => Promise<Record<string, unknown>> = async () => ({ active: false });

  const start = (mostOfOne = 100): Promise<RpcServer> => {
    const logger = silentLogger();
    const known = { id: 'known', disabled: false, mayIntrospect: true } as unknown as Client;
    return startRpc({
      port: 0,
      host: '127.0.0.1',
      reflection: true,
      issuer: 'https://id.example.com',
      clients: {
        find: async (id) => (id === 'known' ? known : undefined),
        verifySecret: async (id) => {
          asked.push(id);
          return id === 'known';
        },
      },
      forwardAuth: { check: async () => ({ outcome: 'allow', headers: {}, client: 'known' }) },
      refusals: { ofCallers: unlimited, ofTokens: unlimited, atProxies: unlimited },
      questions: { ask: () => ask(), askAsServer: async () => ({ active: false }) },
      connections: { most: 1000, mostOfOne, originOf: (address) => address, onRefused: () => refusedOnes.push(1) },
      prepare: async () => undefined,
      clock: systemClock,
      logger,
      access: logger,
      observe: ({ method, code }) => seen.push({ method, code }),
    });
  };
  const open = async ({ port } = server, options = {}): Promise<ClientHttp2Session> => {
    const session = connect(`http://127.0.0.1:${port}`, options);
    stack.defer(() => session.destroy());
    session.on('error', () => undefined);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    return session;
  };

  before(async () => {
    server = await start();
  });
  beforeEach(() => {
    ask = async () => ({ active: false });
    [seen.length, asked.length] = [0, 0];
  });
  after(async () => {
    await server.drain({ noticeSeconds: 0, graceSeconds: 1 });
    await stack.disposeAsync();
  });

  it('are over at once for a caller that has not proven itself, and nothing that it sends is read', async () => {
    const session = await open();
    const wrong = [{}, { authorization: basic('nobody', 'x') }, { authorization: 'Bearer x' }];
    for (const credentials of wrong) {
      const call = new RawCall(session, introspect, credentials).begin(60 * kib, 50 * kib);
      expect([await call.status, (await call.closed) < 2_000], JSON.stringify(credentials)).to.deep.equal([16, true]);
    }
    expect(seen).to.deep.equal(wrong.map(() => ({ method: introspect, code: 'UNAUTHENTICATED' })));
    expect(asked).to.deep.equal(['nobody']);
  });

  it('are over after five seconds for everybody else', async () => {
    const session = await open();
    const calls = [
      new RawCall(session, introspect, { authorization }),
      new RawCall(session, introspect, { authorization }).begin(60 * kib, 50 * kib),
      // A whole message, and no word that it was the last.
      new RawCall(session, introspect, { authorization }).begin(0, 0),
      new RawCall(session, health),
      new RawCall(session, health).begin(100, 50),
      new RawCall(session, 'grpc.health.v1.Health/Watch').begin(0, 0),
    ];
    for (const [index, call] of calls.entries()) {
      expect(await call.status, String(index)).to.equal(4);
      expect(await call.closed, String(index)).to.be.within(4_500, 7_000);
    }
    expect(seen.filter(({ method }) => method === introspect)).to.have.length(3);
    expect(seen.map(({ code }) => code)).to.deep.equal(calls.map(() => 'DEADLINE_EXCEEDED'));
    expect(session.closed, 'the connection is still good').to.equal(false);
  });

  it('are over as soon as they are larger than their method takes', async () => {
    const session = await open();
    for (const [method, given] of [
      [introspect, { authorization }],
      [health, {}],
      ['grpc.reflection.v1.ServerReflection/ServerReflectionInfo', {}],
    ] as const) {
      const call = new RawCall(session, method, given).begin(500 * kib, 70 * kib);
      expect([await call.status, (await call.closed) < 2_000], method).to.deep.equal([8, true]);
    }
    // What becomes a megabyte has a thousand bytes before.
    const packed = gzipSync(Buffer.alloc(900 * kib));
    const bomb = new RawCall(session, health, { 'grpc-encoding': 'gzip' }).begin(packed.length, 0, 1);
    expect([await bomb.status, (await bomb.closed) < 2_000]).to.deep.equal([12, true]);
  });

  it('are no large requests, which still come in whole', async () => {
    using rpc = new RpcClient(`127.0.0.1:${server.port}`, authorization);
    const question = { token: 'x'.repeat(8 * kib), audience: 'https://orders.example.com/', scopes: ['orders.read'] };
    const requests = Array.from({ length: 100 }, () => question);
    expect(answerOf(await rpc.call(batch, { requests })).responses).to.have.length(100);
    // Envoy takes 60 KiB of headers, of any number.
    const headers = Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`x-header-${at}`, 'v'.repeat(28)]));
    const http = { method: 'GET', path: '/', host: 'orders.example.com', headers };
    const about = { attributes: { request: { http }, contextExtensions: { audience: 'https://orders.example.com/' } } };
    expect(answerOf(await rpc.call(check, about)).status).to.include({ code: 0 });
    const size = (method: string, request: object): number => {
      const [service = '', name = ''] = method.split('/');
      return loadProtos().service(service)[name]?.requestSerialize(request).length ?? 0;
    };
    expect(size(batch, { requests }) / kib).to.be.within(800, 900);
    expect(size(check, about) / kib).to.be.within(60, 100);
    const many = { requests: [...requests, ...requests] };
    expect(codeOf(await rpc.call(batch, many))).to.equal('RESOURCE_EXHAUSTED');
  });

  it('come on no more connections than one address may have', async () => {
    const small = await start(2);
    const [first] = [await open(small), await open(small)];
    const closed = (session: ClientHttp2Session) => new Promise((resolve) => session.once('close', resolve));
    const third = connect(`http://127.0.0.1:${small.port}`);
    third.on('error', () => undefined);
    await closed(third);
    expect(refusedOnes).to.have.length(1);
    first?.close();
    await closed(first ?? expect.fail());
    await pause(50);
    await open(small);
    expect(refusedOnes).to.have.length(1);
    await small.drain({ noticeSeconds: 0, graceSeconds: 5 });
  });

  it('keep a server that stops for a second, while one that is whole gets its answer', async () => {
    const stopping = await start();
    using rpc = new RpcClient(`127.0.0.1:${stopping.port}`, authorization);
    const gate = Promise.withResolvers<Record<string, unknown>>();
    const begun = Promise.withResolvers<void>();
    ask = () => {
      begun.resolve();
      return gate.promise;
    };
    const whole = rpc.call(introspect, { token: 'x' });
    await begun.promise;
    const session = await open(stopping);
    const half = [
      new RawCall(session, introspect, { authorization }).begin(1000, 10),
      new RawCall(session, health),
      new RawCall(session, 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo'),
    ];
    // It takes nothing, so what it is sent never leaves.
    const deaf = await open(stopping, { settings: { initialWindowSize: 0 } });
    const watching = new RawCall(deaf, 'grpc.health.v1.Health/Watch').begin(0, 0);
    watching.stream.end();
    await pause(100);
    const stoppedAt = performance.now();
    const drained = stopping.drain({ noticeSeconds: 0, graceSeconds: 25 });
    for (const call of half) expect(await call.status).to.equal(14);
    expect(performance.now() - stoppedAt).to.be.below(2_500);
    await pause(1_500);
    gate.resolve({ active: false });
    expect(answerOf(await whole)).to.include({ active: false });
    await drained;
    expect(performance.now() - stoppedAt).to.be.below(6_000);
    expect(seen).to.deep.include({ method: introspect, code: 'OK' });
    expect(constants.NGHTTP2_NO_ERROR).to.equal(half[0]?.stream.rstCode);
  });
});
