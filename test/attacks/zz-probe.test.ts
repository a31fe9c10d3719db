import { decodeJwt } from 'jose';
import { createClient, createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { statusOfToken } from '../status-list/decoder.ts';
import { tokenOf as personToken, registerApp, withToken, allScopes } from '../web/api-caller.ts';

const operator = { kind: 'operator' } as const;
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = 'urn:ietf:params:oauth:token-type:access_token';
const scopes = [{ name: 'notes:read', description: 'Read your notes' }];
const [a, b, o] = ['https://a.example/', 'https://b.example/', 'https://o.example/'];
type C = Awaited<ReturnType<typeof createClient>>;
describe('probe', () => {
  let server: RunningApp;
  let m: C, gw: C, bs: C;
  before(async () => {
    server = await startApp({ SALLYPORT_API_KEYS: 'everyone', SALLYPORT_LIMIT_TOKEN: '10000', SALLYPORT_STATUS_LIST_TTL_SECONDS: '20' });
    const { apis, exchangeRights } = server.app.domains;
    await apis.create({ identifier: a, name: 'A', scopes, statusList: true }, operator);
    await apis.create({ identifier: b, name: 'B', scopes, statusList: true }, operator);
    await apis.create({ identifier: o, name: 'O', scopes, tokenFormat: 'opaque' }, operator);
    m = await createClient(server, { kind: 'machine', apis: { [a]: ['notes:read'], [o]: ['notes:read'] } });
    gw = await createClient(server, { kind: 'service', apis: { [a]: [], [o]: [] } });
    bs = await createClient(server, { kind: 'service', apis: { [b]: [] } });
    await exchangeRights.allow({ clientId: gw.client.id, target: b, mode: 'delegation', scopes: ['notes:read'] }, operator);
  });
  after(() => server[Symbol.asyncDispose]());
  const post = async (path: string, c: C, f: Record<string, string>, h = {}) => {
    const r = await fetch(`${server.url}${path}`, { method: 'POST', headers: { authorization: `Basic ${btoa(`${c.client.id}:${c.secret}`)}`, ...h }, body: new URLSearchParams(f) });
    const t = await r.text(); return { status: r.status, json: t ? JSON.parse(t) : {} };
  };
  const cc = async (resource = a) => (await post('/oauth2/token', m, { grant_type: 'client_credentials', resource, scope: 'notes:read' })).json.access_token as string;
  const ex = async (s: string) => { const r = await post('/oauth2/token', gw, { grant_type: grant, subject_token: s, subject_token_type: type, resource: b }); return (r.json.access_token ?? JSON.stringify(r.json)) as string; };
  const act = async (t: string) => (await post('/oauth2/introspect', bs, { token: t })).json.active;
  const wait = (ms: number) => new Promise((r) => setTimeout(r, ms));
  it('api revoked', async () => {
    const t = await ex(await cc());
    console.log('before', await act(t), decodeJwt(t));
    await server.app.domains.revocations.revoke({ kind: 'api', id: a, reason: 'x' });
    console.log('after api a revoked', await act(t));
    await wait(1100);
    const p = await cc(); await wait(2100); const before = Date.now() - 1000; const d = await ex(p);
    await server.app.domains.revocations.revoke({ kind: 'everything', id: 'everything', reason: 'x', before });
    console.log('parent', (await post('/oauth2/introspect', gw, { token: p })).json.active, 'laundered', await act(d), await statusOfToken(server.url, d));
  }).timeout(20000);
  it('opaque', async () => {
    const p = await cc(o); const d = await ex(p);
    console.log(p.slice(0, 3), await act(d), (await post('/oauth2/revoke', m, { token: p })).status, await act(d));
  });
  it('status', async () => {
    const person = await createPerson(server);
    const { key, text } = await server.app.domains.apiKeys.create({ owner: { kind: 'account', id: person.account.id }, name: 'S', audience: a, scopes: ['notes:read'] }, operator);
    const t = (await withToken(server, text)('POST', '/auth/api-key')).json.access_token;
    await wait(1100);
    console.log('key token status at birth', await statusOfToken(server.url, t), (await post('/oauth2/introspect', gw, { token: t })).json);
    const d = await ex(t); console.log(decodeJwt(d));
    const p = await cc(); const d2 = await ex(p);
    await server.app.domains.apiKeys.revoke(key.id, operator);
    await post('/oauth2/revoke', m, { token: p });
    console.log('introspect', await act(d), await act(d2));
    await wait(1100);
    console.log('status parent', await statusOfToken(server.url, p), 'derived of key', await statusOfToken(server.url, d), 'derived of revoked', await statusOfToken(server.url, d2));
  }).timeout(10000);
  it('weird tokens', async () => {
    const h = (s: string) => Buffer.from(s).toString('base64url');
    for (const t of [`${h(' {"alg":"ES256"}')}.e30.x`, `${h('{"x":1}')}.a.b`, `${h('{}')}.a.b`, `${h('{}')}`, 'ey', `${h('{"alg":"ES256"}')}`, 'v4.public.abc', 'a'.repeat(8000), `spk_`, '=', 'at_', `${h('{"alg":"none"}')}..`, `rt_${'a'.repeat(9000)}`]) {
      const r = await post('/oauth2/introspect', gw, { token: t });
      console.log(t.slice(0, 30), r.status, JSON.stringify(r.json));
    }
  });
  it('nobody', async () => {
    for (const s of ['', 'x', 'undefined', 'null']) {
      const fake = { client: { id: 'sallyport-api-keys' }, secret: s } as unknown as C;
      const r = await post('/oauth2/introspect', fake, { token: 'x' });
      console.log(s, r.status, JSON.stringify(r.json));
    }
    const r = await fetch(`${server.url}/oauth2/introspect`, { method: 'POST', body: new URLSearchParams({ client_id: 'sallyport-api-keys', token: 'x' }) });
    console.log(r.status, await r.text());
  });
  it('app mints key', async () => {
    const person = await createPerson(server);
    const app = await registerApp(server);
    const token = await (personToken as any)(server, person, { app: app.app, scope: 'account:security' });
    console.log(token && decodeJwt(token).scope);
    const ask = withToken(server, token);
    for (const body of [{ name: 'x', audience: a, scopes: ['notes:read'], expires_in_days: 3650 }, { name: 'y', scopes: ['account:write', 'account:read'] }]) {
      const r = await ask('POST', '/me/api-keys', body); console.log(r.status, JSON.stringify(r.json));
    }
  });
});
