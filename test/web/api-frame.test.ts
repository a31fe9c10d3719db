import { expect } from 'chai';
import Koa from 'koa';
import { z } from 'zod';
import type { Account } from '../../src/accounts/index.ts';
import type { Caller } from '../../src/oidc/index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import { asAccountId, asClientId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createApiRoutes } from '../../src/web/api/api-routes.ts';
import { createOpenApiDocument } from '../../src/web/api/openapi-document.ts';
import { openToAll, operation, person } from '../../src/web/api/operation.ts';
import { useEdge } from '../../src/web/http/edge.ts';
import { type HttpServer, listen } from '../../src/web/http/server.ts';

const echoed = z.object({ id: z.string(), limit: z.number(), text: z.string().optional(), who: z.string().optional() });
const operations = [
  operation({
    method: 'post',
    path: '/things/{id}',
    id: 'echo',
    tag: 'Account',
    summary: 'Echo',
    access: openToAll,
    params: z.strictObject({ id: z.string().regex(/^[a-z]+$/, 'Small letters only.') }),
    query: z.strictObject({ limit: z.coerce.number('Give a number.').int().max(9).default(3) }),
    body: z.strictObject({ text: z.string(), more: z.strictObject({ deep: z.boolean() }).optional() }),
    replies: {
      201: { description: 'Echo.', body: echoed, headers: { 'X-Echo': 'Yes.' } },
      204: { description: 'None.' },
    },
    handler: async ({ params, query, body }) => {
      if (body.text === 'none') return { status: 204 };
      if (body.text === 'refuse') throw new AppError('conflict', 'Taken.', { fields: { text: 'Taken.' } });
      const reply = { id: params.id, limit: query.limit, text: body.text, secret: 'x' };
      return { status: 201, body: reply, headers: { 'X-Echo': 'yes' } };
    },
  }),
  operation({
    method: 'get',
    path: '/mine',
    id: 'mine',
    tag: 'Account',
    summary: 'Mine',
    access: person('account:read'),
    replies: { 200: { description: 'Mine.', body: echoed } },
    handler: async ({ caller }) => ({ status: 200, body: { id: caller.account.id, limit: 0, who: caller.clientId } }),
  }),
  operation({
    method: 'get',
    path: '/broken',
    id: 'broken',
    tag: 'Account',
    summary: 'Broken',
    access: openToAll,
    replies: { 200: { description: 'Never.', body: echoed } },
    handler: async () => ({ status: 200, body: { id: 7 } as never }),
  }),
];

interface Answer {
  readonly [name: string]: unknown;
  readonly fields?: Readonly<Record<string, string>>;
}

describe('the frame of the JSON API', () => {
  let http: HttpServer;
  let url: string;
  const callers = new Map<string, Caller>();
  const caller = (extra: Partial<Caller> = {}): Caller => ({
    clientId: asClientId('app_1'),
    accountId: asAccountId('acc_1'),
    scopes: new Set(['account:read']),
    ...extra,
  });

  before(async () => {
    const app = new Koa();
    let handle = app.callback();
    http = await listen((req, res) => void handle(req, res), { port: 0, host: '127.0.0.1' });
    url = `http://127.0.0.1:${http.port}`;
    useEdge(app, {
      issuer: url,
      trustedProxies: [],
      metadataMaxAge: 300,
      popups: false,
      bodyLimit: 65_536,
      clock: systemClock,
      logger: silentLogger(),
      access: silentLogger(),
      renderErrorPage: () => 'page',
    });
    const router = createApiRoutes({
      issuer: url,
      operations,
      document: createOpenApiDocument(url, operations),
      tokens: {
        verify: async (token, audience) => (audience === `${url}/api/v1` ? callers.get(token) : undefined),
      },
      accounts: { find: async (id) => (id === 'acc_1' ? ({ id } as Account) : undefined) },
    });
    app.use(router.routes() as Koa.Middleware);
    handle = app.callback();
  });
  after(() => http.drain({ graceSeconds: 0 }));

  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}/api/v1${path}`, init);
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: (text === '' ? {} : JSON.parse(text)) as Answer,
    };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    call(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('hands checked input to the handler and sends nothing that the schema does not name', async () => {
    const answer = await post('/things/abc?limit=5', { text: 'hi' });
    expect(answer.status).to.equal(201);
    expect(answer.json).to.deep.equal({ id: 'abc', limit: 5, text: 'hi' });
    expect(answer.headers.get('x-echo')).to.equal('yes');
    expect(answer.headers.get('content-type')).to.match(/^application\/json/);
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    expect((await post('/things/abc', { text: 'hi' })).json.limit).to.equal(3);
    const empty = await post('/things/abc', { text: 'none' });
    expect([empty.status, empty.text]).to.deep.equal([204, '']);
  });

  it('names each problem of a request by its field', async () => {
    const cases: [string, unknown, Record<string, unknown>][] = [
      ['/things/ABC', { text: 'x' }, { id: 'Small letters only.' }],
      ['/things/abc?limit=ten', { text: 'x' }, { limit: 'Give a number.' }],
      ['/things/abc?limit=1&limit=2', { text: 'x' }, { limit: 'It is there twice.' }],
      ['/things/abc?__proto__=1', { text: 'x' }, {}],
      ['/things/abc?other=1', { text: 'x' }, { other: 'There is no such field.' }],
      ['/things/abc', { text: 'x', admin: true }, { admin: 'There is no such field.' }],
      ['/things/abc', '{"text":"x","__proto__":{"admin":true}}', {}],
      ['/things/abc', '{"text":"x","more":{"deep":1}}', {}],
      ['/things/abc', '{"text":', { body: 'It is not JSON in UTF-8.' }],
      ['/things/abc', '[]', {}],
      ['/things/abc', 'null', {}],
      ['/things/abc', '', { body: 'Send a JSON body.' }],
      ['/things/abc', '['.repeat(30_000), { body: 'It is not JSON in UTF-8.' }],
      [
        '/things/abc',
        { text: 'x'.repeat(10), ...Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, n])) },
        {},
      ],
    ];
    for (const [path, body, fields] of cases) {
      const answer = await post(path, body);
      expect(answer.status, `${path} ${String(body).slice(0, 50)}`).to.equal(400);
      expect(answer.headers.get('content-type')).to.equal('application/problem+json');
      expect(answer.json).to.include({ type: 'about:blank', status: 400 });
      expect(answer.json.reference).to.equal(answer.headers.get('x-request-id'));
      expect(answer.json.fields).to.include(fields);
      expect(Object.keys(answer.json.fields ?? {}).length).to.be.within(1, 50);
      expect(answer.text.length).to.be.below(8_000);
    }
    expect(({} as { admin?: unknown }).admin).to.equal(undefined);
    const bytes = await call('/things/abc', {
      method: 'POST',
      body: Buffer.from([0x7b, 0xff, 0x7d]),
      headers: { 'content-type': 'application/json' },
    });
    expect(bytes.status).to.equal(400);
  });

  it('gives refusals of handlers and of the edge the same shape', async () => {
    const refused = await post('/things/abc', { text: 'refuse' });
    expect(refused.json).to.deep.include({ status: 409, detail: 'Taken.', fields: { text: 'Taken.' } });
    for (const [answer, status] of [
      [await post('/things/abc', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 415],
      [await post('/things/abc', `{"text":"${'x'.repeat(70_000)}"}`), 413],
      [await post('/things/abc', '{"text":"\\u0000"}'), 400],
      [await call('/nothing'), 404],
      [await call(''), 404],
      [await call('/things/abc'), 405],
      [await call('/mine', { method: 'DELETE' }), 405],
      [await call('/broken'), 500],
    ] as const) {
      expect(answer.status).to.equal(status);
      expect(answer.json).to.include({ type: 'about:blank', status });
      expect(answer.json.detail).to.be.a('string').and.not.include('Invalid');
    }
    expect((await call('/things/abc')).headers.get('allow')).to.equal('OPTIONS, POST');
  });

  it('challenges whoever brings no token, a bad one, or one that may not do this (RFC 6750)', async () => {
    const ask = (authorization?: string) =>
      call('/mine', authorization === undefined ? {} : { headers: { authorization } });
    const metadata = `resource_metadata="${url}/.well-known/oauth-protected-resource/api/v1"`;
    const challengeOf = ({ headers }: { headers: Headers }) => headers.get('www-authenticate') ?? '';

    const none = await ask();
    expect([none.status, challengeOf(none)]).to.deep.equal([
      401,
      `Bearer realm="sallyport", ${metadata}, scope="account:read"`,
    ]);
    expect(challengeOf(await ask('Basic YTpi'))).to.not.include('error');
    for (const bad of [
      'Bearer',
      'Bearer x',
      'Bearer x y',
      'bearer ä',
      `Bearer ${'a'.repeat(5000)}`,
      'Bearer "',
      'Bearer a,b',
    ]) {
      const answer = await ask(Buffer.from(bad).toString('latin1'));
      expect(answer.status, bad).to.equal(401);
      expect(challengeOf(answer), bad).to.include('error="invalid_token"');
    }
    callers.set('narrow', caller({ scopes: new Set(['account:write']) }));
    const narrow = await ask('Bearer narrow');
    expect(narrow.status).to.equal(403);
    expect(challengeOf(narrow)).to.include('error="insufficient_scope"').and.include('scope="account:read"');
    const { accountId: _nobody, ...machine } = caller();
    callers.set('machine', machine);
    expect((await ask('Bearer machine')).status).to.equal(403);
    callers.set('good', caller());
    expect((await ask('bearer  good')).json).to.deep.equal({ id: 'acc_1', limit: 0, who: 'app_1' });
    expect((await call('/mine?access_token=good')).status, 'a token in the address does not count').to.equal(401);
  });

  it('lets pages of any origin call, and tells browsers so beforehand', async () => {
    const preflight = await call('/things/abc', {
      method: 'OPTIONS',
      headers: { origin: 'https://spa.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).to.equal(204);
    expect(preflight.headers.get('access-control-allow-methods')).to.equal('OPTIONS, POST');
    expect(preflight.headers.get('access-control-allow-headers')).to.include('Authorization');
    const refused = await call('/mine', { headers: { origin: 'https://spa.example' } });
    expect(refused.headers.get('access-control-allow-origin')).to.equal('*');
    expect(refused.headers.get('access-control-allow-credentials')).to.equal(null);
    expect(refused.headers.get('access-control-expose-headers')).to.include('WWW-Authenticate');
  });

  it('says where tokens for it come from (RFC 9728)', async () => {
    const answer = await fetch(`${url}/.well-known/oauth-protected-resource/api/v1`);
    expect(await answer.json()).to.deep.include({ resource: `${url}/api/v1`, authorization_servers: [url] });
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
  });
});
