import { expect } from 'chai';
import * as oidc from 'openid-client';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

for (const lane of fullestStoreLane()) {
  describe(`one lock for pages and JSON on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let app: DirectClient;
    let pages: RelyingParty;

    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_LOCKOUT_TRIES: '3',
        SALLYPORT_LIMIT_SIGN_IN: '100',
      });
      app = await DirectClient.register(server);
      const { client } = await createClient(server, {
        kind: 'spa',
        firstParty: true,
        metadata: { redirect_uris: [callback] },
      });
      const issuer = server.url;
      pages = await RelyingParty.discover({ issuer, clientId: client.id, auth: oidc.None(), redirectUri: callback });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const byPage = async (person: Pick<Person, 'login'>, password: string): Promise<Page> => {
      const web = new WebClient(server.url);
      return signIn(web, await web.open((await pages.request()).url), { ...person, password });
    };
    /** Wrong passwords until an answer says wait. */
    const until429 = async (tryOne: () => Promise<{ status: number }>): Promise<number> => {
      for (let count = 1; count < 20; count += 1) if ((await tryOne()).status === 429) return count;
      return Number.POSITIVE_INFINITY;
    };

    it('is set by JSON and holds on the pages', async () => {
      const person = await createPerson(server);
      expect(await until429(() => app.login({ ...person, password: 'wrong' }))).to.be.at.most(4);
      const page = expectPage(await byPage(person, person.password), 'login');
      expect(page.status).to.equal(429);
      const right = await app.login(person);
      expect(right.status).to.equal(429);
      expect(Number(right.headers.get('retry-after'))).to.be.within(60, 1_800);
    });

    it('is set by the pages and holds for JSON', async () => {
      const person = await createPerson(server);
      expect(await until429(() => byPage(person, 'wrong'))).to.be.at.most(4);
      expect((await app.login(person)).status).to.equal(429);
    });

    it('is set by wrong codes too, and the challenge is over', async () => {
      const person = await createPerson(server);
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const challenge_id = textOf((await app.login(person)).body, 'challenge_id');
      expect(await until429(() => app.post('login/2fa', { challenge_id, code: '000000' }))).to.be.at.most(4);
      expect((await app.post('login/2fa', { challenge_id, code: await code() })).status).to.equal(429);
      expect((await app.login(person)).status).to.equal(429);
      expectPage(await byPage(person, person.password), 'login');
    });

    it('holds against fifty guesses at once', async () => {
      const person = await createPerson(server);
      const guesses = Array.from({ length: 50 }, () => app.login({ ...person, password: 'wrong' }));
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401).length).to.be.within(1, 3);
      expect(statuses.every((status) => status === 401 || status === 429)).to.equal(true);
    }).timeout(60_000);

    it('answers for the other name of a paused account as for one that nobody has, by JSON and on the pages', async () => {
      for (const answerOf of [
        async (login: string, password: string) => (await app.login({ login, password })).status,
        async (login: string, password: string) => (await byPage({ login }, password)).status,
      ]) {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const nobody = `x${other.account.email}`;
        for (const paused of [person, other])
          expect(await until429(() => app.login({ ...paused, password: 'wrong' }))).to.equal(4);
        const heard = async (name: string, password: string) => {
          const statuses = [];
          for (let tries = 0; tries < 5; tries += 1) statuses.push(await answerOf(name, password));
          return statuses;
        };
        const unknown = await heard(nobody, 'wrong');
        expect(unknown.filter((status) => status === 429)).to.have.length(2);
        expect(await heard(person.account.email, 'wrong')).to.deep.equal(unknown);
        expect(await heard(other.account.email, other.password)).to.deep.equal(unknown);
      }
    });

    it('answers for a name that nobody has as for one that somebody has', async () => {
      const person = await createPerson(server);
      const nobody = { ...person, login: `${person.login}x` };
      for (const round of [1, 2, 3, 4]) {
        const known = await app.login({ ...person, password: 'wrong' });
        const unknown = await app.login(nobody);
        expect(known.status, `round ${round}`).to.equal(unknown.status);
        const { reference: _one, ...told } = known.body;
        const { reference: _other, ...said } = unknown.body;
        expect(told).to.deep.equal(said);
      }
    });
  });
}
