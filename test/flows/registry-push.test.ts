import { expect } from 'chai';
import { asClientId } from '../../src/shared/ids.ts';
import { createApi, createClient } from '../support/people.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';

const operator = { kind: 'operator' } as const;
const { TEST_DATABASE_URL: sql } = process.env;

(sql ? describe : describe.skip)('what one node changes of clients and APIs, on another', function () {
  this.timeout(60_000);
  const stack = new AsyncDisposableStack();
  let one: RunningApp;
  let other: RunningApp;

  before(async () => {
    const { url } = stack.use(await createTestDatabase(sql ?? ''));
    one = stack.use(await startApp({ DATABASE_URL: url }));
    // Behind one address, as a load balancer has them.
    other = stack.use(await startApp({ DATABASE_URL: url, PORT: String(await freePort()), SALLYPORT_ISSUER: one.url }));
  });
  after(() => stack.disposeAsync());

  const token = async (id: string, secret: string, more: Record<string, string> = {}): Promise<number> => {
    const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` };
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...more });
    return (await fetch(`${one.url}/oauth2/token`, { method: 'POST', headers, body })).status;
  };

  /** Long before what is remembered would be read anew. */
  async function soon(check: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 1_000; !(await check()); ) {
      if (performance.now() > end) throw new Error('it took more than a second');
    }
  }

  it('ends an old secret and a disabled client at once', async () => {
    const { clients } = other.app.domains;
    const { client, secret } = await createClient(other, { kind: 'machine' });
    expect(await token(client.id, secret)).to.equal(200);
    const next = await clients.rotateSecret(asClientId(client.id), { overlapSeconds: 0 }, operator);
    await soon(async () => (await token(client.id, secret)) === 401);
    expect(await token(client.id, next)).to.equal(200);
    await clients.update(asClientId(client.id), 1, { disabled: true }, operator);
    await soon(async () => (await token(client.id, next)) === 401);
    await clients.update(asClientId(client.id), 2, { disabled: false }, operator);
    await soon(async () => (await token(client.id, next)) === 200);
    await clients.remove(asClientId(client.id), operator);
    await soon(async () => (await token(client.id, next)) === 401);
  });

  it('knows a new client that was asked for before, and an API that was changed', async () => {
    const id = 'asked-for-before';
    expect(await token(id, 'nothing')).to.equal(401);
    const api = await createApi(other);
    const { secret } = await createClient(other, { id, kind: 'machine', apis: { [api]: ['notes:read'] } });
    await soon(async () => (await token(id, secret, { resource: api })) === 200);
    await other.app.domains.apis.remove(api, operator);
    await soon(async () => (await token(id, secret, { resource: api })) === 400);
  });
});
