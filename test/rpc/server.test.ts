import { readFileSync } from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import type { Client } from '../../src/clients/index.ts';
import type { RefusalLimit } from '../../src/forward-auth/index.ts';
import { type RpcServer, startRpc } from '../../src/rpc/index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { answerOf, codeOf, RpcClient } from './rpc-client.ts';

const introspect = 'sallyport.v1.TokenService/Introspect';
const health = 'grpc.health.v1.Health/Check';
const unlimited: RefusalLimit = { ask: (_shown, ask) => ask() };

describe('the gRPC server', () => {
  let certificates: Certificates;
  let server: RpcServer;
  const seen: { method: string; code: string }[] = [];
  /** What a question is answered with, and whether it is under way. */
  let ask: () => Promise<Record<string, unknown>>;

  before(async () => {
    certificates = createCertificates();
    const own = certificates.issue('localhost');
    const logger = silentLogger();
    const known = { id: 'known', disabled: false } as unknown as Client;
    const off = { id: 'off', disabled: true } as unknown as Client;
    server = await startRpc({
      port: 0,
      host: '127.0.0.1',
      tls: { ...own, clientCa: certificates.ca },
      reflection: false,
      issuer: 'https://id.example.com',
      clients: { find: async (id) => [known, off].find((one) => one.id === id), verifySecret: async () => false },
      forwardAuth: { check: () => Promise.reject(new Error('not asked')) },
      refusals: { ofCallers: unlimited, ofTokens: unlimited, atProxies: unlimited },
      questions: { ask: () => ask(), askAsServer: async () => ({ active: false }) },
      connections: { most: 100, mostOfOne: 100, originOf: (address) => address, onRefused: () => undefined },
      prepare: async () => undefined,
      clock: systemClock,
      logger,
      access: logger,
      observe: ({ method, code }) => seen.push({ method, code }),
    });
  });

  beforeEach(() => {
    ask = async () => ({ active: false });
    seen.length = 0;
  });

  after(async () => {
    await server.drain({ noticeSeconds: 0, graceSeconds: 1 });
    certificates[Symbol.dispose]();
  });

  function connect(name?: string, authority = certificates): RpcClient {
    const pair = name === undefined ? undefined : authority.issue(name);
    const keys = pair ? ([readFileSync(pair.key), readFileSync(pair.cert)] as const) : ([null, null] as const);
    const security = credentials.createSsl(readFileSync(certificates.ca), ...keys);
    return new RpcClient(`localhost:${server.port}`, undefined, security);
  }

  it('knows callers by the common name of a certificate of its authority', async () => {
    using known = connect('known');
    expect(answerOf(await known.call(introspect, { token: 'x' }))).to.include({ active: false });
    for (const name of ['somebody', 'off']) {
      using caller = connect(name);
      expect(codeOf(await caller.call(introspect, { token: 'x' })), name).to.equal('UNAUTHENTICATED');
    }
    // Metadata that proves nothing is not made good by the certificate.
    expect(codeOf(await known.call(introspect, { token: 'x' }, { authorization: 'Bearer x' }))).to.equal(
      'UNAUTHENTICATED',
    );
    expect(seen.map(({ code }) => code)).to.deep.equal(['OK', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });

  it('lets nobody in without one', async () => {
    using others = createCertificates();
    using none = connect();
    using forged = connect('known', others);
    for (const client of [none, forged]) {
      expect(codeOf(await client.call(health, { service: '' }, { deadline: 3000 }))).to.be.oneOf([
        'UNAVAILABLE',
        'DEADLINE_EXCEEDED',
      ]);
    }
  });

  it('gives no stack away, and counts what it was', async () => {
    using known = connect('known');
    ask = () => Promise.reject(new TypeError('secret detail'));
    const outcome = await known.call(introspect, { token: 'x' });
    expect(codeOf(outcome)).to.equal('INTERNAL');
    expect(outcome)
      .to.have.property('details')
      .that.matches(/^Something went wrong on our side\. \(req_\w+\)$/);
    expect(seen).to.deep.equal([{ method: introspect, code: 'INTERNAL' }]);
  });

  it('ends a call at its deadline', async () => {
    using known = connect('known');
    ask = () => new Promise(() => undefined);
    expect(codeOf(await known.call(introspect, { token: 'x' }, { deadline: 200 }))).to.equal('DEADLINE_EXCEEDED');
  });

  it('lets calls under way finish when it stops, and takes no more', async () => {
    using known = connect('known');
    const gate = Promise.withResolvers<Record<string, unknown>>();
    const begun = Promise.withResolvers<void>();
    ask = () => {
      begun.resolve();
      return gate.promise;
    };
    const call = known.call(introspect, { token: 'x' });
    await begun.promise;
    const drained = server.drain({ noticeSeconds: 0, graceSeconds: 10 });
    gate.resolve({ active: false });
    expect(answerOf(await call)).to.include({ active: false });
    await drained;
    expect(codeOf(await known.call(health, { service: '' }, { deadline: 2000 }))).to.equal('UNAVAILABLE');
  });
});
