import { expect } from 'chai';
import { createAuthenticator } from '../passkeys/authenticator.ts';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createPerson, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { type Answer, browserOf, registerApp, tokenOf, withToken } from './api-caller.ts';

const ids = ({ json }: Answer): string[] => json.items.map(({ id }: { id: string }) => id);

for (const lane of fullestStoreLane()) {
  describe(`the account API about sessions, passkeys, apps and data, on ${lane.name}`, function () {
    this.timeout(60_000);
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      const port = await freePort();
      server = await startApp({
        ...(await lane.env(stack)),
        PORT: String(port),
        HOST: 'localhost',
        // Passkeys are for names.
        SALLYPORT_ISSUER: `http://localhost:${port}`,
        SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
        SALLYPORT_LIMIT_TOKEN: '100000',
      });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const countOf = async ({ account }: Person, type: string): Promise<number> =>
      (await server.app.domains.audit.list({ subject: account.id, type, limit: 300 })).length;

    it('lists sessions in pages, each once, and says which one asks', async () => {
      const person = await createPerson(server);
      const first = await browserOf(server, person);
      const second = await browserOf(server, person);
      const token = withToken(server, await tokenOf(server, person));
      const all = await second.ask('GET', '/me/sessions');
      expect(all.json.items).to.have.length(3);
      expect(all.json).to.not.have.property('next_cursor');
      const pages: string[] = [];
      for (let cursor = ''; ; ) {
        const page: Answer = await token('GET', `/me/sessions?limit=1${cursor && `&cursor=${cursor}`}`);
        expect(page.json.items).to.have.length(1);
        pages.push(...ids(page));
        if (page.json.next_cursor === undefined) break;
        cursor = encodeURIComponent(page.json.next_cursor);
      }
      expect(pages).to.deep.equal(ids(all));
      const currentOf = (answer: Answer) => answer.json.items.filter((item: { current: boolean }) => item.current);
      expect(currentOf(all)).to.have.length(1);
      const mine = currentOf(await first.ask('GET', '/me/sessions'));
      expect(mine).to.have.length(1);
      expect(mine[0].id).to.not.equal(currentOf(all)[0].id);
      expect(mine[0]).to.include({ kind: 'browser', second_factor: false });
      const [apps] = currentOf(await token('GET', '/me/sessions'));
      expect(apps.apps, 'the session that the token came from').to.have.length(1);
      for (const bad of ['cursor=x', 'cursor=1-', 'limit=0', 'limit=101', 'limit=x', 'page=1', 'limit=1&limit=2']) {
        expect((await token('GET', `/me/sessions?${bad}`)).status, bad).to.equal(400);
      }
    });

    it('ends one session exactly once when fifty ask, and no session of somebody else', async () => {
      const [person, other] = [await createPerson(server), await createPerson(server)];
      const mine = await browserOf(server, person);
      const lost = await browserOf(server, person);
      const theirs = await browserOf(server, other);
      const [theirId] = ids(await theirs.ask('GET', '/me/sessions'));
      const listed = (await mine.ask('GET', '/me/sessions')).json.items as { id: string; current: boolean }[];
      const id = listed.find(({ current }) => !current)?.id;
      expect((await mine.ask('DELETE', `/me/sessions/${theirId}`)).status).to.equal(404);
      expect((await mine.ask('DELETE', '/me/sessions/ses_nothing')).status).to.equal(404);
      const all = await Promise.all(Array.from({ length: 50 }, () => mine.ask('DELETE', `/me/sessions/${id}`)));
      expect(all.filter(({ status }) => status === 204)).to.have.length(1);
      expect(all.filter(({ status }) => status === 404)).to.have.length(49);
      expect(await countOf(person, 'session.ended')).to.equal(1);
      expect((await lost.ask('GET', '/me')).status).to.equal(401);
      expect((await theirs.ask('GET', '/me')).status).to.equal(200);
    });

    it('ends all others and keeps the one that asks, browser or app', async () => {
      const person = await createPerson(server);
      const { ask: lost } = await browserOf(server, person);
      const app = withToken(server, await tokenOf(server, person));
      expect((await app('DELETE', '/me/sessions')).json).to.deep.equal({ ended: 1 });
      expect((await lost('GET', '/me')).status).to.equal(401);
      expect((await app('GET', '/me')).status, 'its own session goes on').to.equal(200);
      const { ask } = await browserOf(server, person);
      expect((await ask('DELETE', '/me/sessions')).json).to.deep.equal({ ended: 1 });
      expect((await ask('GET', '/me')).status).to.equal(200);
      expect((await app('GET', '/me')).status).to.equal(401);
    });

    it('knows the session of an app that signed the person in by itself', async () => {
      const person = await createPerson(server);
      const { ask: lost } = await browserOf(server, person);
      const resource = `${server.url}/api/v1`;
      const house = await DirectClient.register(server, { apis: { [resource]: [] } });
      const signedIn = await house.login(person, { resource, scope: 'account:read account:security' });
      const app = withToken(server, textOf(signedIn.body, 'access_token'));
      const { items } = (await app('GET', '/me/sessions')).json;
      const own = items.filter(({ current }: { current: boolean }) => current);
      expect(own).to.have.length(1);
      expect(own[0]).to.include({ kind: 'api' });
      expect((await app('DELETE', '/me/sessions')).json).to.deep.equal({ ended: 1 });
      expect((await app('GET', '/me')).status).to.equal(200);
      expect((await lost('GET', '/me')).status).to.equal(401);
      expect((await app('DELETE', `/me/sessions/${own[0].id}`)).status).to.equal(204);
      expect((await app('GET', '/me')).status).to.equal(401);
    });

    it('adds a passkey once, names and removes it', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      const elsewhere = await browserOf(server, person);
      const authenticator = createAuthenticator({ origin: server.url });
      const options = await ask('POST', '/me/passkeys/options');
      expect(options.json).to.have.nested.property('rp.id', 'localhost');
      const response = authenticator.create(options.json);
      expect((await elsewhere.ask('POST', '/me/passkeys', { response })).status, 'of another session').to.equal(410);
      const all = await Promise.all(
        Array.from({ length: 20 }, () => ask('POST', '/me/passkeys', { name: 'Desk key', response })),
      );
      const [made] = all.filter(({ status }) => status === 201);
      // 401: the passkey is there already, and this session has not shown it yet.
      for (const { status } of all) expect([201, 401, 409, 410]).to.include(status);
      expect(made?.json).to.include({ name: 'Desk key', synced: false });
      expect((await ask('GET', '/me/passkeys')).json.items).to.have.length(1);
      const path = `/me/passkeys/${made?.json.id}`;
      expect((await ask('PATCH', path, { name: ' Old   key ' })).json).to.include({ name: 'Old key' });
      expect((await ask('PATCH', path, { name: '' })).json).to.deep.include({ status: 422 });
      const stranger = await browserOf(server, await createPerson(server));
      expect((await stranger.ask('PATCH', path, { name: 'Mine' })).status).to.equal(404);
      expect((await stranger.ask('DELETE', path)).status).to.equal(404);
      expect((await ask('DELETE', path)).status).to.equal(204);
      expect((await ask('DELETE', path)).status).to.equal(404);
      const bad = { ...response, response: { ...response.response, attestationObject: 'AAAA' } };
      expect((await ask('POST', '/me/passkeys', { response: bad })).status).to.be.oneOf([410, 422]);
    });

    it('lists connected apps, and takes back what one was allowed', async () => {
      const person = await createPerson(server);
      const { client, app } = await registerApp(server, false);
      const connected = withToken(server, await tokenOf(server, person, { app, scope: 'account:read' }));
      const { ask } = await browserOf(server, person);
      const { items } = (await ask('GET', '/me/apps')).json;
      expect(items).to.have.length(1);
      expect(items[0]).to.deep.include({ client_id: client.id, name: client.name, active: true, scopes: ['openid'] });
      expect(items[0].apis).to.deep.equal([
        { identifier: `${server.url}/api/v1`, name: 'Sallyport account API', scopes: ['account:read'] },
      ]);
      expect((await connected('GET', '/me')).status).to.equal(200);
      expect((await ask('DELETE', `/me/apps/${client.id}`)).status).to.equal(204);
      expect((await ask('DELETE', `/me/apps/${client.id}`)).status).to.equal(404);
      expect((await connected('GET', '/me')).status).to.equal(401);
      expect((await ask('GET', '/me/apps')).json).to.deep.equal({ items: [] });
    });

    it('lists activity in pages, each event once, without an administrator’s address', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      for (let n = 0; n < 5; n += 1) await ask('PATCH', '/me', { nickname: `n${n}` }, { 'if-match': '*' });
      const operator = { kind: 'operator' } as const;
      const where = { ip: '192.0.2.7', userAgent: 'Operator/1' };
      await server.app.domains.audit.record({
        ...where,
        type: 'account.updated',
        actor: operator,
        outcome: 'success',
        subject: person.account.id,
      });
      const all = await ask('GET', '/me/activity?limit=100');
      const pages: string[] = [];
      for (let path = '/me/activity?limit=3'; ; ) {
        const page: Answer = await ask('GET', path);
        pages.push(...ids(page));
        if (page.json.next_cursor === undefined) break;
        path = `/me/activity?limit=3&cursor=${encodeURIComponent(page.json.next_cursor)}`;
      }
      expect(pages).to.deep.equal(ids(all));
      expect(new Set(pages).size).to.equal(pages.length);
      const { items } = all.json as { items: { by: string }[] };
      const byThem = items.find(({ by }) => by === 'administrator');
      expect(byThem).to.include({ type: 'account.updated', text: 'Profile changed' });
      expect(byThem).to.not.have.any.keys('ip', 'device');
      // Of two in the same millisecond either may be the newer one.
      expect(items.indexOf(byThem as never)).to.be.below(2);
      expect(JSON.stringify(all.json)).to.not.include('192.0.2.7');
    });

    it('starts a change of address with the same answer for one that is taken', async () => {
      const [person, other] = [await createPerson(server), await createPerson(server)];
      const { ask } = await browserOf(server, person);
      const free = await ask('POST', '/me/email', { email: `new-${person.login}@people.example` });
      const taken = await ask('POST', '/me/email', { email: other.account.email });
      expect([free.status, free.json, taken.status, taken.json]).to.deep.equal([202, undefined, 202, undefined]);
      for (const email of ['nobody', person.account.email, `${'x'.repeat(300)}@people.example`]) {
        const answer = await ask('POST', '/me/email', { email });
        expect([answer.status, Object.keys(answer.json.fields)], email).to.deep.equal([422, ['email']]);
      }
      expect((await ask('GET', '/me')).json.email).to.equal(person.account.email);
    });

    it('hands out everything as a file, and deletes the account with every session and token', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      const app = withToken(server, await tokenOf(server, person));
      const file = await app('GET', '/me/export');
      expect(file.headers.get('content-disposition')).to.match(
        /^attachment; filename="account-\d{4}-\d\d-\d\d\.json"$/,
      );
      expect(file.json).to.include({ format: 'sallyport-account-export', version: 1 });
      expect(file.json.account.claims.email).to.equal(person.account.email);
      expect(file.json.sessions).to.have.length(2);
      const all = await Promise.all(Array.from({ length: 20 }, () => app('DELETE', '/me')));
      const [gone] = all.filter(({ status }) => status === 200);
      for (const { status } of all) expect([200, 401, 409]).to.include(status);
      expect(await countOf(person, 'account.deleted')).to.equal(1);
      expect(Date.parse(gone?.json.purged_at)).to.be.above(Date.now());
      expect((await app('GET', '/me')).status).to.equal(401);
      expect((await ask('GET', '/me')).status).to.equal(401);
      expect((await server.app.domains.accounts.find(person.account.id))?.status).to.equal('deleted');
    });
  });
}
