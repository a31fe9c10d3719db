import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { basic, RpcClient } from '../rpc/rpc-client.ts';
import { statusOfToken } from '../status-list/decoder.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { withToken } from '../web/api-caller.ts';

const operator = { kind: 'operator' } as const;
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = 'urn:ietf:params:oauth:token-type:access_token';
const [first, second] = ['https://first.example/', 'https://second.example/'];
const scopes = [{ name: 'notes:read', description: 'Read your notes' }];

type Asker = Awaited<ReturnType<typeof createClient>>;

describe('tokens that a key bought before it was rotated', function () {
  this.timeout(60_000);
  const stack = new AsyncDisposableStack();
  let server: RunningApp;
  let person: Person;
  /** The service of the first API, which may exchange for the second, and the service of that. */
  let gateway: Asker;
  let end: Asker;
  let address: string;

  before(async () => {
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    server = stack.use(
      await startApp({
        SALLYPORT_API_KEYS: 'everyone',
        SALLYPORT_LIMIT_TOKEN: '10000',
        // Without word of a change a list is as it was for half of it.
        SALLYPORT_STATUS_LIST_TTL_SECONDS: '60',
        SALLYPORT_GRPC_PORT: String(port),
      }),
    );
    const { apis, exchangeRights } = server.app.domains;
    await apis.create({ identifier: first, name: 'First', scopes, statusList: true }, operator);
    await apis.create({ identifier: second, name: 'Second', scopes, statusList: true }, operator);
    person = await createPerson(server);
    gateway = await createClient(server, { kind: 'service', apis: { [first]: ['notes:read'] } });
    end = await createClient(server, { kind: 'service', apis: { [second]: [] } });
    const right = { target: second, mode: 'delegation', scopes: ['notes:read'] } as const;
    await exchangeRights.allow({ clientId: gateway.client.id, ...right }, operator);
  });
  after(() => stack.disposeAsync());

  const makeKey = async (audience = first, wanted = ['notes:read']) => {
    const owner = { kind: 'account', id: person.account.id } as const;
    return server.app.domains.apiKeys.create({ owner, name: 'Script', audience, scopes: wanted }, operator);
  };
  const rotate = async (id: string, overlapSeconds: number): Promise<string> => {
    const { apiKeys } = server.app.domains;
    // Nobody has to wait ten seconds between two.
    await server.app.database
      .sql('api_key')
      .where({ id })
      .update({ issued_at: new Date(Date.now() - 60_000) });
    return (await apiKeys.rotate(id, operator, { overlapSeconds })).text;
  };
  const buy = async (text: string): Promise<string> => {
    const { status, json } = await withToken(server, text)('POST', '/auth/api-key');
    expect(status, JSON.stringify(json)).to.equal(200);
    return String(json.access_token);
  };
  const headersOf = ({ client, secret }: Asker) => ({ authorization: basic(client.id, secret) });
  const exchange = async (subject: string): Promise<string | undefined> => {
    const body = new URLSearchParams({
      ...{ grant_type: grant, subject_token: subject, subject_token_type: type, resource: second },
    });
    const init = { method: 'POST', headers: headersOf(gateway), body };
    const answer = await (await fetch(`${server.url}/oauth2/token`, init)).json();
    return (answer as { access_token?: string }).access_token;
  };
  /** What introspection, `auth/verify` and gRPC say of it: whether it is good. */
  const ask = async (token: string, asker: Asker): Promise<unknown[]> => {
    const headers = headersOf(asker);
    const form = { method: 'POST', headers, body: new URLSearchParams({ token }) };
    const json = { 'content-type': 'application/json', ...headers };
    const post = { method: 'POST', headers: json, body: JSON.stringify({ token }) };
    const answers = [
      await (await fetch(`${server.url}/oauth2/introspect`, form)).json(),
      await (await fetch(`${server.url}/api/v1/auth/verify`, post)).json(),
    ] as { active?: unknown }[];
    using rpc = new RpcClient(address, headers.authorization);
    const told = await rpc.call('sallyport.v1.TokenService/Introspect', { token });
    return [...answers.map(({ active }) => active), 'answer' in told && told.answer.active];
  };
  const good = [true, true, true];
  const over = [false, false, false];
  const listed = async (token: string, wanted: number): Promise<void> => {
    for (const deadline = Date.now() + 5_000; (await statusOfToken(server.url, token)) !== wanted; await pause(50)) {
      if (Date.now() > deadline) expect.fail(`the status did not become ${wanted}`);
    }
  };

  it('are over with a text that ends at once, with all that was made from them, on every door and in the lists', async () => {
    const { key, text } = await makeKey();
    const token = await buy(text);
    const derived = (await exchange(token)) ?? expect.fail('no exchange');
    expect([await ask(token, gateway), await ask(derived, end)]).to.deep.equal([good, good]);
    for (const one of [token, derived]) await listed(one, 0);
    const next = await rotate(key.id, 0);
    expect([await ask(token, gateway), await ask(derived, end)]).to.deep.equal([over, over]);
    for (const one of [token, derived]) await listed(one, 1);
    expect(await exchange(token), 'another exchange').to.equal(undefined);
    const fresh = await buy(next);
    expect(await ask(fresh, gateway)).to.deep.equal(good);
    await listed(fresh, 0);
  });

  it('are over at our own API, and never were good at UserInfo', async () => {
    const { key, text } = await makeKey(`${server.url}/api/v1`, ['account:read']);
    const token = await buy(text);
    const userInfo = async () => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${server.url}/oauth2/userinfo`, { headers })).status;
    };
    const me = async () => (await withToken(server, token)('GET', '/me')).status;
    expect([await me(), await userInfo()]).to.deep.equal([200, 401]);
    await rotate(key.id, 0);
    expect([await me(), await userInfo()]).to.deep.equal([401, 401]);
  });

  it('are good while the older text is, and no longer', async () => {
    const { key, text } = await makeKey();
    const before = await buy(text);
    await rotate(key.id, 4);
    const until = Date.now() + 4_000;
    const during = await buy(text);
    const derived = (await exchange(before)) ?? expect.fail('no exchange');
    expect((decodeJwt(during).exp ?? 0) * 1000, 'of what the older text buys').to.be.at.most(until);
    const told = await fetch(`${server.url}/oauth2/introspect`, {
      ...{ method: 'POST', headers: headersOf(gateway), body: new URLSearchParams({ token: text }) },
    });
    expect(((await told.json()) as { exp: number }).exp * 1000, 'of the older text').to.be.at.most(until);
    expect([await ask(before, gateway), await ask(derived, end)]).to.deep.equal([good, good]);
    await pause(until - Date.now() + 50);
    expect([await ask(before, gateway), await ask(during, gateway)]).to.deep.equal([over, over]);
    expect(await ask(derived, end)).to.deep.equal(over);
  });

  it('are over when another rotation leaves no place for the text that bought them', async () => {
    const { key, text } = await makeKey();
    const oldest = await buy(text);
    const older = await buy(await rotate(key.id, 3600));
    expect([await ask(oldest, gateway), await ask(older, gateway)]).to.deep.equal([good, good]);
    const newest = await buy(await rotate(key.id, 3600));
    expect([await ask(oldest, gateway), await ask(older, gateway)]).to.deep.equal([over, good]);
    expect(await ask(newest, gateway)).to.deep.equal(good);
    await listed(oldest, 1);
    for (const one of [older, newest]) await listed(one, 0);
  });
});
