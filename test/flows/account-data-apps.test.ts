import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const everything = { scope: 'openid profile email offline_access', prompt: 'consent' };

/** Tokens know the second in which they were issued, and what was ended in it stays ended. */
async function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) === now) await new Promise((resolve) => setTimeout(resolve, 20));
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { error?: string; code?: string; status?: number }) => error.error ?? error.code ?? String(error.status),
  );

for (const lane of fullestStoreLane()) {
  describe(`connected apps in the account console, on ${lane.name}`, () => {
    let server: RunningApp;
    let app: RelyingParty;
    let clientId: string;
    let name: string;
    let api: string;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({ ...(await lane.env(stack)), SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' });
      api = await createApi(server);
      const { client, secret } = await createClient(server, {
        kind: 'web',
        apis: { [api]: ['notes:read'] },
        metadata: { redirect_uris: [callback] },
      });
      [clientId, name] = [client.id, client.name];
      const auth = oidc.ClientSecretBasic(secret);
      app = await RelyingParty.discover({ issuer: server.url, clientId, auth, redirectUri: callback });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    /** Goes through an authorization request to the code, by whatever pages it takes. */
    async function authorize(web: WebClient, parameters: Record<string, string>, person?: Person) {
      const attempt = await app.request(parameters);
      let page = await web.open(attempt.url);
      if (person && page.name === 'login') page = await signIn(web, page, person);
      const asked = page.name === 'consent';
      if (asked) page = await allow(web, page);
      return { attempt, back: page.url, asked };
    }
    async function connect(person: Person) {
      const web = new WebClient(server.url);
      const { attempt, back } = await authorize(web, everything, person);
      const tokens = await app.redeem(back, attempt);
      const forApi = await authorize(web, { scope: 'openid notes:read', resource: api });
      const jwt = await app.redeem(forApi.back, forApi.attempt, { resource: api });
      return { web, tokens, jwt };
    }
    const isActive = async (token = ''): Promise<boolean> => (await oidc.tokenIntrospection(app.config, token)).active;
    const revocationsOf = async ({ account }: Person): Promise<number> =>
      (await server.app.domains.audit.list({ subject: account.id, type: 'grant.revoked', limit: 100 })).length;

    it('says what each app may do, since when, and when it was used', async () => {
      const person = await createPerson(server);
      const { web } = await connect(person);
      const page = expectPage(await web.open('/account/apps'), 'account-apps');
      expect(page.text).to.include(name).and.include('app.example');
      expect(page.text).to.include('See your name, picture and profile').and.include(`, <bdi>${person.account.email}`);
      expect(page.text).to.include('Keep this access while you are away').and.include('Read your notes');
      expect(page.text).to.not.include('Change your notes').and.not.include('Not yet');
      // The order of the consent page, not that of the alphabet.
      expect(page.text).to.match(/Recognise you.*your name, picture.*your email.*Keep this access.*Read your notes/s);
      const [consent] = await server.app.domains.consents.list(person.account.id);
      expect(Math.abs((consent?.lastUsedAt ?? 0) - Date.now())).to.be.below(60_000);

      const other = await createPerson(server);
      const theirs = new WebClient(server.url);
      const empty = await signIn(theirs, await theirs.open('/account/apps'), other);
      expect(expectPage(empty, 'account-apps').text).to.include('No app has access').and.not.include(name);
    });

    it('takes everything back from an app: tokens, codes on their way, and the memory of the answer', async () => {
      const [person, other] = [await createPerson(server), await createPerson(server)];
      const [{ web, tokens, jwt }, theirs] = [await connect(person), await connect(other)];
      const onTheWay = await authorize(web, { scope: 'openid email' });
      const refreshed = await oidc.refreshTokenGrant(app.config, tokens.refresh_token ?? '');
      const all = [refreshed.access_token, refreshed.refresh_token, jwt.access_token];
      for (const token of all) expect(await isActive(token), 'before').to.equal(true);

      const done = expectPage(await web.submit(await web.open('/account/apps'), {}, 'client'), 'account-apps');
      expect(done.url.search).to.equal('?done=removed');
      expect(done.text).to.include('No app has access');
      for (const token of all) expect(await isActive(token), 'after').to.equal(false);
      expect(await codeOf(oidc.refreshTokenGrant(app.config, refreshed.refresh_token ?? ''))).to.equal('invalid_grant');
      expect(await codeOf(app.redeem(onTheWay.back, onTheWay.attempt))).to.equal('invalid_grant');
      const userinfo = await fetch(`${server.url}/oauth2/userinfo`, {
        headers: { authorization: `Bearer ${refreshed.access_token}` },
      });
      expect(userinfo.status).to.equal(401);
      expectPage(await web.open('/account/profile'), 'account-profile');

      for (const token of [theirs.tokens.access_token, theirs.jwt.access_token]) {
        expect(await isActive(token), 'of somebody else').to.equal(true);
      }
      expect((await theirs.web.open('/account/apps')).text).to.include(name);

      await nextSecond();
      const again = await authorize(web, { scope: 'openid email' });
      expect(again.asked, 'the app has to ask again').to.equal(true);
      const renewed = await app.redeem(again.back, again.attempt);
      expect(await isActive(renewed.access_token)).to.equal(true);
      const scopes = (await web.open('/account/apps')).text;
      expect(scopes).to.include('See your email address').and.not.include('See your name');
      for (const token of all) expect(await isActive(token), 'still').to.equal(false);
    });

    it('does so once, of fifty at once, and never for somebody else', async () => {
      const [person, other] = [await createPerson(server), await createPerson(server)];
      const [{ web }, theirs] = [await connect(person), await connect(other)];
      const page = await web.open('/account/apps');
      for (const client of ['', 'app_none', "'", other.account.id, `${clientId} `]) {
        expect((await web.submit(page, { client, account: other.account.id }, 'client')).url.search).to.equal(
          '?done=gone',
        );
      }
      expect(await server.app.domains.consents.list(person.account.id)).to.have.length(1);
      const { action, fields } = readForm(page.text, 'client');
      const answers = await Promise.all(
        Array.from({ length: 50 }, () =>
          web.fetch(action, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams(fields).toString(),
          }),
        ),
      );
      const ends = answers.map(({ status, headers }) => `${status} ${headers.get('location')}`);
      expect(ends.filter((end) => end === '303 /account/apps?done=removed')).to.have.length(1);
      expect(ends.filter((end) => end === '303 /account/apps?done=gone')).to.have.length(49);
      expect(await revocationsOf(person)).to.equal(1);
      expect([await revocationsOf(other), await isActive(theirs.tokens.access_token)]).to.deep.equal([0, true]);
      expect((await web.post('/account/apps', { client: clientId })).status).to.equal(403);
      expect((await web.open('/account/activity')).text).to.include(`Access of ${name} removed`);
    });

    it('lists an app that was removed or stopped, and still takes its access back', async () => {
      const person = await createPerson(server);
      const { clients, consents } = server.app.domains;
      const { client } = await createClient(server, { kind: 'spa', metadata: { redirect_uris: [callback] } });
      await consents.grant(person.account.id, client.id, { scopes: ['openid'], claims: ['birthdate'], resources: {} });
      await clients.remove(client.id, { kind: 'operator' });
      const web = new WebClient(server.url);
      const page = await signIn(web, await web.open('/account/apps'), person);
      expect(expectPage(page, 'account-apps').text).to.include('not registered any more').and.include('birthdate');
      expect((await web.submit(page, {}, 'client')).text).to.include('No app has access');
    });
  });
}
