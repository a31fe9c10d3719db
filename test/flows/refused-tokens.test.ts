import { expect } from 'chai';
import { basic, codeOf, type Outcome, RpcClient } from '../rpc/rpc-client.ts';
import { createApi, createClient } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';

const verify = 'sallyport.v1.TokenService/Verify';
const check = 'envoy.service.auth.v3.Authorization/Check';
const limit = 5;

describe('refused tokens', () => {
  const stack = new AsyncDisposableStack();
  let server: RunningApp;
  let audience: string;
  let grpc: string;
  let asker: { id: string; secret: string };
  let mint: () => Promise<string>;

  before(async () => {
    const port = await freePort();
    grpc = `127.0.0.1:${port}`;
    server = stack.use(
      await startApp({
        SALLYPORT_GRPC_PORT: String(port),
        SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
        SALLYPORT_LIMIT_PROXY: String(limit),
        SALLYPORT_LIMIT_GRPC: String(limit),
        SALLYPORT_LIMIT_TOKEN: String(limit),
      }),
    );
    audience = await createApi(server);
    const { client, secret } = await createClient(server, { kind: 'service', apis: { [audience]: [] } });
    asker = { id: client.id, secret };
    const machine = await createClient(server, { kind: 'machine', apis: { [audience]: ['notes:read'] } });
    mint = async () => {
      const response = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: basic(machine.client.id, machine.secret) },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope: 'notes:read' }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    };
  });
  after(() => stack.disposeAsync());

  describe('at a proxy', () => {
    const ask = async (ip: string, token?: string, address = 'check') => {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`${server.url}/forward-auth/${address}?audience=${encodeURIComponent(audience)}`, {
        headers: { 'x-forwarded-for': ip, ...(authorization as object) },
      });
      return { status: response.status, wait: response.headers.get('retry-after'), text: await response.text() };
    };
    const flood = async (ip: string): Promise<void> => {
      for (let turn = 0; turn < limit; turn += 1) expect((await ask(ip, `guess-${turn}`)).status).to.equal(401);
    };

    it('end in a pause for their address, which is told in words that the proxy knows', async () => {
      const ip = '198.51.100.1';
      const good = await mint();
      expect((await ask(ip, good)).status).to.equal(200);
      await flood(ip);
      for (const [address, status] of [
        ['check', 429],
        ['status', 403],
      ] as const) {
        const refused = await ask(ip, 'one-more', address);
        expect(refused.status, address).to.equal(status);
        expect(Number(refused.wait)).to.be.within(1, 60);
        expect(refused.text).to.match(/^Too many tries\. Try again in \d+ seconds?\.\n$/);
      }
      expect((await ask(ip)).status, 'no token').to.equal(401);
      expect((await ask(ip, good)).status, 'a good one, as before').to.equal(200);
      expect((await ask('198.51.100.2', await mint())).status, 'another address').to.equal(200);
      expect((await ask('198.51.100.2', 'guess')).status).to.equal(401);
    });

    it('are those that are worth nothing, not those that do not reach far enough or are not there', async () => {
      const ip = '198.51.100.3';
      const good = await mint();
      for (let turn = 0; turn < limit * 2; turn += 1) {
        expect((await ask(ip)).status).to.equal(401);
        const elsewhere = `${server.url}/forward-auth/check?audience=https%3A%2F%2Fother.example%2F`;
        const headers = { 'x-forwarded-for': ip, authorization: `Bearer ${good}` };
        expect((await fetch(elsewhere, { headers })).status).to.equal(401);
      }
      expect((await ask(ip, await mint())).status).to.equal(200);
    });

    it('pause one address behind Envoy, and not all that it asks for', async () => {
      const rpc = stack.use(new RpcClient(grpc, basic(asker.id, asker.secret)));
      const envoy = async (address: string, token: string) => {
        const http = {
          method: 'GET',
          path: '/',
          host: 'notes.example.com',
          headers: { authorization: `Bearer ${token}` },
        };
        const source = { address: { socketAddress: { address, portValue: 1 } } };
        const attributes = { request: { http }, source, contextExtensions: { audience } };
        const outcome = await rpc.call(check, { attributes });
        if ('code' in outcome) throw new Error(outcome.code);
        return outcome.answer as unknown as {
          status: { code: number };
          deniedResponse?: { status: { code: number }; headers: { header: { key: string; value: string } }[] };
        };
      };
      for (let turn = 0; turn < limit; turn += 1)
        expect((await envoy('198.51.100.4', `guess-${turn}`)).status.code).to.equal(16);
      const refused = await envoy('198.51.100.4', 'one-more');
      expect([refused.status.code, refused.deniedResponse?.status.code]).to.deep.equal([8, 429]);
      const wait = refused.deniedResponse?.headers.find(({ header }) => header.key === 'retry-after');
      expect(Number(wait?.header.value)).to.be.within(1, 60);
      expect((await envoy('198.51.100.5', await mint())).status.code).to.equal(0);
    });
  });

  describe('by gRPC', () => {
    const paused = (outcome: Outcome): void => {
      expect(codeOf(outcome)).to.equal('RESOURCE_EXHAUSTED');
      const { trailers = {}, details = '' } = 'code' in outcome ? outcome : {};
      expect(details).to.match(/^Too many tries\. Try again in \d+ seconds?\. \(req_\w+\)$/);
      expect(Number(trailers['retry-after'])).to.be.within(1, 60);
      expect(Number(trailers['grpc-retry-pushback-ms'])).to.equal(Number(trailers['retry-after']) * 1000);
    };

    it('pause the client that asks about them, for what it has not asked about before', async () => {
      const rpc = stack.use(new RpcClient(grpc, basic(asker.id, asker.secret)));
      const other = await createClient(server, { kind: 'service', apis: { [audience]: [] } });
      const good = await mint();
      const ask = (token: string) => rpc.call(verify, { token, audience });
      expect(codeOf(await ask(good))).to.equal('OK');
      for (let turn = 0; turn < limit; turn += 1) expect(codeOf(await ask(`guess-${turn}`))).to.equal('OK');
      paused(await ask('one-more'));
      expect(codeOf(await ask(good))).to.equal('OK');
      const neighbour = stack.use(new RpcClient(grpc, basic(other.client.id, other.secret)));
      expect(codeOf(await neighbour.call(verify, { token: 'guess', audience }))).to.equal('OK');
    });

    it('pause a peer that guesses who it is, and not the callers who are there already', async () => {
      const rpc = stack.use(new RpcClient(grpc, basic(asker.id, asker.secret)));
      const fresh = await createClient(server, { kind: 'service', apis: {} });
      const health = () => rpc.call('grpc.health.v1.Health/Check', { service: '' });
      expect(codeOf(await rpc.call(verify, { token: '', audience }))).to.equal('OK');
      const as = (authorization: string) => rpc.call(verify, { token: '', audience }, { authorization });
      for (let turn = 0; turn < limit; turn += 1) {
        expect(codeOf(await as(basic(asker.id, `guess-${turn}`)))).to.equal('UNAUTHENTICATED');
      }
      paused(await as(basic(asker.id, 'one-more')));
      paused(await as(basic(fresh.client.id, fresh.secret)));
      expect(codeOf(await rpc.call(verify, { token: '', audience }))).to.equal('OK');
      expect(codeOf(await health())).to.equal('OK');
    });
  });
});
