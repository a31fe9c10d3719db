import { expect } from 'chai';
import { caller, type Frame, startFrame } from './api-frame-server.ts';

describe('the frame of the JSON API', () => {
  let frame: Frame;
  const call: Frame['call'] = (...given) => frame.call(...given);
  const post: Frame['post'] = (...given) => frame.post(...given);
  let url: string;

  before(async () => {
    frame = await startFrame();
    url = frame.url;
  });
  after(() => frame.end());

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
    frame.callers.set('narrow', caller({ scopes: new Set(['account:write']) }));
    const narrow = await ask('Bearer narrow');
    expect(narrow.status).to.equal(403);
    expect(challengeOf(narrow)).to.include('error="insufficient_scope"').and.include('scope="account:read"');
    const { accountId: _nobody, ...machine } = caller();
    frame.callers.set('machine', machine);
    expect((await ask('Bearer machine')).status).to.equal(403);
    frame.callers.set('good', caller());
    expect((await ask('bearer  good')).json).to.deep.equal({ id: 'acc_1', limit: 0, who: 'app_1' });
    expect((await call('/mine?access_token=good')).status, 'a token in the address does not count').to.equal(401);
  });

  it('tells a request of another form from one that says what is not accepted', async () => {
    const ask = (etag?: string) =>
      call('/picky', { method: 'POST', headers: etag === undefined ? {} : { 'if-match': etag } });
    expect((await ask()).json).to.deep.include({ status: 400, fields: { 'If-Match': 'Send it.' } });
    expect((await ask('W/"1"')).json).to.deep.include({ status: 400, fields: { 'If-Match': 'Not like this.' } });
    expect((await ask('"1", "2"')).status).to.equal(400);
    const own = await ask('"1"');
    expect(own.json).to.deep.include({ status: 422, detail: 'No.', fields: { a: 'No.' } });
    expect(own.json.reference).to.equal(own.headers.get('x-request-id'));
    expect(own.headers.get('retry-after')).to.equal('7');
    expect(own.headers.get('content-type')).to.equal('application/problem+json');
    expect((await ask('"2"')).json).to.deep.include({ status: 422, detail: 'A domain says no.', fields: { b: 'No.' } });
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
