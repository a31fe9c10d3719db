import { Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { Client } from '../../src/clients/index.ts';
import { loadProtos } from '../../src/rpc/protos.ts';
import { createProtectedApp, passSignIn } from '../forward-auth/world.ts';
import { answerOf, basic, codeOf, RpcClient } from '../rpc/rpc-client.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const verify = 'sallyport.v1.TokenService/Verify';
const introspect = 'sallyport.v1.TokenService/Introspect';
const batch = 'sallyport.v1.TokenService/Batch';
const check = 'envoy.service.auth.v3.Authorization/Check';

interface World {
  readonly server: RunningApp;
  readonly address: string;
  readonly audience: string;
  readonly service: Client;
  /** The service, and one that has nothing to do with that API. */
  readonly rpc: RpcClient;
  readonly stranger: RpcClient;
}

interface Machine {
  readonly client: Client;
  readonly secret: string;
  readonly token: string;
}

async function machine(
  server: RunningApp,
  resource: string,
  scope: string,
  apis: Record<string, string[]>,
): Promise<Machine> {
  const { client, secret } = await createClient(server, { kind: 'machine', apis });
  const config = await oidc.discovery(new URL(server.url), client.id, {}, oidc.ClientSecretBasic(secret), {
    execute: [oidc.allowInsecureRequests],
  });
  const { access_token: token } = await oidc.clientCredentialsGrant(config, { resource, scope });
  return { client, secret, token };
}

describe('gRPC', () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let token: Machine;

  before(async () => {
    const port = await freePort();
    const server = stack.use(await startApp({ SALLYPORT_GRPC_PORT: String(port) }));
    const address = `127.0.0.1:${port}`;
    const audience = await createApi(server);
    const one = await createClient(server, { kind: 'service', apis: { [audience]: [] } });
    const two = await createClient(server, { kind: 'service', apis: { [await createApi(server)]: [] } });
    world = {
      server,
      address,
      audience,
      service: one.client,
      rpc: stack.use(new RpcClient(address, basic(one.client.id, one.secret))),
      stranger: stack.use(new RpcClient(address, basic(two.client.id, two.secret))),
    };
    token = await machine(server, audience, 'notes:read', { [audience]: ['notes:read', 'notes:write'] });
  });

  after(() => stack.disposeAsync());

  describe('token service', () => {
    it('says what HTTP introspection says, to whom it says it', async () => {
      const { rpc, stranger, audience } = world;
      const info = answerOf(await rpc.call(introspect, { token: token.token }));
      expect(info).to.deep.include({ active: true, clientId: token.client.id, tokenType: 'Bearer' });
      expect([info.audience, info.scopes]).to.deep.equal([[audience], ['notes:read']]);
      expect(JSON.parse(String(info.claimsJson))).to.include({ active: true, iss: world.server.url });
      expect(info.expiresAt)
        .to.be.a('number')
        .above(Date.now() / 1000);
      for (const [asker, value] of [
        [stranger, token.token],
        [rpc, 'at_nothing'],
        [rpc, ''],
        [rpc, `${token.token.slice(0, -4)}AAAA`],
      ] as const) {
        const inactive = answerOf(await asker.call(introspect, { token: value }));
        expect(inactive).to.deep.include({ active: false, clientId: '', claimsJson: '' });
      }
    });

    it('decides for one request, and says everything that is missing', async () => {
      const { rpc, stranger, audience } = world;
      const ask = (rest: object = {}, asker = rpc) =>
        asker.call(verify, { token: token.token, audience, ...rest }).then(answerOf);
      expect(await ask({ scopes: ['notes:read'] })).to.deep.include({ allowed: true, reasons: [] });
      const refused = await ask({ scopes: ['notes:read', 'notes:write'], permissions: ['p'], acr: 'aal2' });
      expect(refused).to.deep.include({
        allowed: false,
        reasons: ['REASON_INSUFFICIENT_SCOPE', 'REASON_INSUFFICIENT_PERMISSIONS', 'REASON_INSUFFICIENT_AUTHENTICATION'],
      });
      expect((await ask({ audience: 'https://other.example/' })).reasons).to.deep.equal(['REASON_WRONG_AUDIENCE']);
      expect((await ask({}, stranger)).reasons).to.deep.equal(['REASON_INACTIVE']);
      expect(codeOf(await rpc.call(verify, { token: token.token }))).to.equal('INVALID_ARGUMENT');
      expect(codeOf(await rpc.call(verify, { token: token.token, audience, scopes: [''] }))).to.equal(
        'INVALID_ARGUMENT',
      );
      expect(codeOf(await rpc.call(verify, { token: token.token, audience, acr: 'any' }))).to.equal('INVALID_ARGUMENT');
    });

    it('answers a hundred questions at once in their order, and no more', async () => {
      const { rpc, audience } = world;
      const question = (index: number) => ({ token: index % 2 === 0 ? token.token : 'at_nothing', audience });
      const { responses } = answerOf(
        await rpc.call(batch, { requests: Array.from({ length: 100 }, (_, index) => question(index)) }),
      ) as { responses: { allowed: boolean }[] };
      expect(responses.map(({ allowed }) => allowed)).to.deep.equal(Array.from({ length: 100 }, (_, i) => i % 2 === 0));
      const tooMany = { requests: Array.from({ length: 101 }, () => question(0)) };
      expect(codeOf(await rpc.call(batch, tooMany))).to.equal('INVALID_ARGUMENT');
      expect(answerOf(await rpc.call(batch, { requests: [] }))).to.deep.equal({ responses: [] });
    });

    it('hears of a revocation at once', async () => {
      const { server, rpc, audience } = world;
      const other = await machine(server, audience, 'notes:read', { [audience]: ['notes:read'] });
      const ask = async () => answerOf(await rpc.call(verify, { token: other.token, audience })).allowed;
      expect(await ask()).to.equal(true);
      const { id, version } = other.client;
      await server.app.domains.clients.update(id, version, { disabled: true }, operator);
      expect(await ask()).to.equal(false);
    });
  });

  describe('callers', () => {
    it('prove themselves, or learn nothing but that', async () => {
      const { rpc, service } = world;
      const { secret, client } = await createClient(world.server, { kind: 'service', apis: {} });
      const wrong = [
        '',
        basic(service.id, 'wrong'),
        basic('nobody', secret),
        basic('sallyport-console', 'x'),
        'Basic !!!',
        `Basic ${Buffer.from('no colon').toString('base64')}`,
        `Basic ${Buffer.from('a\0b:c').toString('base64')}`,
        'Bearer x',
        `Bearer ${token.token}`,
      ];
      for (const authorization of [...wrong, []]) {
        const outcome = await rpc.call(introspect, { token: 'x' }, { authorization });
        expect(codeOf(outcome), String(authorization)).to.equal('UNAUTHENTICATED');
        expect(outcome)
          .to.have.property('details')
          .that.does.not.match(/Error|\n|src\//);
      }
      const disabled = basic(client.id, secret);
      expect(codeOf(await rpc.call(introspect, { token: 'x' }, { authorization: disabled }))).to.equal('OK');
      await world.server.app.domains.clients.update(client.id, client.version, { disabled: true }, operator);
      expect(codeOf(await rpc.call(introspect, { token: 'x' }, { authorization: disabled }))).to.equal(
        'UNAUTHENTICATED',
      );
    });

    it('may show an access token that was issued for this door', async () => {
      const { server, rpc } = world;
      const door = `${server.url}/rpc`;
      await server.app.domains.apis.create(
        { identifier: door, name: 'Token service', scopes: [{ name: 'ask', description: 'Ask about tokens' }] },
        operator,
      );
      const caller = await machine(server, door, 'ask', { [door]: ['ask'] });
      const authorization = `Bearer ${caller.token}`;
      // Its own token, which any client may ask about.
      const answer = answerOf(await rpc.call(introspect, { token: caller.token }, { authorization }));
      expect(answer).to.include({ active: true, clientId: caller.client.id });
      expect(answerOf(await rpc.call(introspect, { token: token.token }, { authorization })).active).to.equal(false);
    });
  });

  describe('limits', () => {
    it('holds deadlines, sizes and names', async () => {
      const { rpc, audience } = world;
      expect(codeOf(await rpc.call(introspect, { token: 'x' }, { deadline: -1 }))).to.equal('DEADLINE_EXCEEDED');
      const large = { token: 'x'.repeat(1024 * 1024 + 1), audience };
      expect(codeOf(await rpc.call(verify, large))).to.equal('RESOURCE_EXHAUSTED');
      const raw = await new Promise<number>((resolve) => {
        const bytes = (value: Buffer) => value;
        rpc.client.makeUnaryRequest(
          '/sallyport.v1.TokenService/Nothing',
          bytes,
          bytes,
          Buffer.alloc(0),
          new Metadata(),
          {},
          (error) => resolve(error?.code ?? 0),
        );
      });
      expect(raw).to.equal(12);
    });

    it('tells its health and its services without credentials', async () => {
      const open = stack.use(new RpcClient(world.address));
      const health = 'grpc.health.v1.Health/Check';
      for (const service of ['', 'sallyport.v1.TokenService', 'envoy.service.auth.v3.Authorization']) {
        expect(answerOf(await open.call(health, { service }))).to.deep.equal({ status: 'SERVING' });
      }
      expect(codeOf(await open.call(health, { service: 'nothing' }))).to.equal('NOT_FOUND');

      const { path, requestSerialize, responseDeserialize } =
        loadProtos().service('grpc.reflection.v1.ServerReflection').ServerReflectionInfo ?? expect.fail();
      const stream = open.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
      stream.write({ listServices: '' });
      stream.write({ fileContainingSymbol: 'sallyport.v1.TokenService' });
      stream.write({ fileContainingSymbol: 'sallyport.v1.TokenServiceX' });
      stream.end();
      const answers = (await stream.toArray()) as Record<
        string,
        { service: { name: string }[]; errorCode: number; fileDescriptorProto: Buffer[] }
      >[];
      expect(
        answers.map(({ listServicesResponse: list, errorResponse: error }) => list?.service.length ?? error?.errorCode),
      ).to.deep.equal([4, undefined, 5]);
      expect(answers[1]?.fileDescriptorResponse?.fileDescriptorProto).to.have.length(4);
    });
  });

  describe('Envoy', () => {
    const http = (headers: Record<string, string>, rest: object = {}) => ({
      method: 'GET',
      path: '/notes?x=1',
      host: 'notes.example.com',
      scheme: 'https',
      headers,
      ...rest,
    });
    const ask = async (request: object, contextExtensions: Record<string, string>, rpc = world.rpc) =>
      answerOf(await rpc.call(check, { attributes: { request: { http: request }, contextExtensions } })) as unknown as {
        status: { code: number };
        okResponse?: {
          headers: { header: { key: string; value: string }; appendAction: string }[];
          headersToRemove: string[];
        };
        deniedResponse?: {
          status: { code: number };
          headers: { header: { key: string; value: string } }[];
          body: string;
        };
      };
    const rule = () => ({ audience: world.audience, scopes: 'notes:read' });
    const header = (answer: Awaited<ReturnType<typeof ask>>, name: string): string | undefined =>
      [...(answer.okResponse?.headers ?? []), ...(answer.deniedResponse?.headers ?? [])].find(
        (option) => option.header.key === name,
      )?.header.value;

    it('lets a good token pass with its identity, and takes out what a client says of itself', async () => {
      const answer = await ask(
        http({
          authorization: `Bearer ${token.token}`,
          'x-auth-user': 'evil',
          x_auth_user: 'evil',
          'x-auth-client': 'evil',
        }),
        rule(),
      );
      expect(answer.status.code).to.equal(0);
      expect(header(answer, 'x-auth-client')).to.equal(token.client.id);
      expect(header(answer, 'x-auth-scopes')).to.equal('notes:read');
      for (const { appendAction } of answer.okResponse?.headers ?? [])
        expect(appendAction).to.equal('OVERWRITE_IF_EXISTS_OR_ADD');
      expect(answer.okResponse?.headersToRemove).to.include.members(['x-auth-user', 'x-auth-email', 'x_auth_user']);
    });

    it('refuses everything else, in words that clients know', async () => {
      const bearer = http({ authorization: `Bearer ${token.token}` });
      const none = await ask(http({}), rule());
      expect([none.status.code, none.deniedResponse?.status.code, header(none, 'www-authenticate')]).to.deep.equal([
        16,
        401,
        'Bearer',
      ]);
      const far = await ask(bearer, { ...rule(), scopes: 'notes:write' });
      expect([far.status.code, far.deniedResponse?.status.code]).to.deep.equal([7, 403]);
      expect(header(far, 'www-authenticate')).to.equal('Bearer error="insufficient_scope", scope="notes:write"');
      expect((await ask(http({ authorization: `Bearer ${token.token},Bearer x` }), rule())).status.code).to.equal(16);
      const twice = {
        headers: [0, 1].map(() => ({ key: 'authorization', rawValue: Buffer.from(`Bearer ${token.token}`) })),
      };
      expect((await ask(http({}, { headerMap: twice }), rule())).status.code, 'two headers').to.equal(16);
      const once = { headers: twice.headers.slice(0, 1) };
      expect((await ask(http({}, { headerMap: once }), rule())).status.code, 'raw headers').to.equal(0);
      expect((await ask(bearer, rule(), world.stranger)).status.code, 'a proxy of another API').to.equal(16);
      for (const wrong of [{}, { audience: world.audience, scope: 'notes:read' }]) {
        const request = { attributes: { request: { http: bearer }, contextExtensions: wrong } };
        expect(codeOf(await world.rpc.call(check, request))).to.equal('INVALID_ARGUMENT');
      }
      expect(codeOf(await world.rpc.call(check, {}))).to.equal('INVALID_ARGUMENT');
    });

    it('signs people in for an app, when its own proxy asks', async () => {
      const { server, address } = world;
      const origin = 'https://wiki.example.com';
      const app = await createProtectedApp(server, origin);
      const secret = await server.app.domains.clients.rotateSecret(app.id, { overlapSeconds: 0 }, operator);
      const envoy = stack.use(new RpcClient(address, basic(app.id, secret)));
      const person: Person = await createPerson(server);
      const page = (path: string, cookie = '') =>
        http({ accept: 'text/html', ...(cookie && { cookie }) }, { host: 'wiki.example.com', path });
      const begun = await ask(page('/a'), { app: app.id }, envoy);
      expect(begun.deniedResponse?.status.code).to.equal(302);
      const cookie = header(begun, 'set-cookie')?.split(';')[0] ?? '';
      const back = await passSignIn(new WebClient(server.url), new URL(header(begun, 'location') ?? ''), person);
      const done = await ask(page(`${back.url.pathname}${back.url.search}`, cookie), { app: app.id }, envoy);
      expect(header(done, 'location')).to.equal(`${origin}/a`);
      const session = header(done, 'set-cookie')?.split(';')[0] ?? '';
      const allowed = await ask(page('/a', session), { app: app.id }, envoy);
      expect([allowed.status.code, header(allowed, 'x-auth-user')]).to.deep.equal([0, person.account.id]);
      await server.app.domains.sessions.endAll(person.account.id, operator);
      expect((await ask(page('/a', session), { app: app.id }, envoy)).deniedResponse?.status.code).to.equal(302);
      const foreign = { attributes: { request: { http: page('/a', session) }, contextExtensions: { app: app.id } } };
      expect(codeOf(await world.rpc.call(check, foreign))).to.equal('PERMISSION_DENIED');
    });
  });
});
