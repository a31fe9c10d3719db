import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const minute = 60_000;

describe('an app with a limit of its own for quiet sessions', () => {
  let server: RunningApp;
  let ordinary: RelyingParty;
  let strict: RelyingParty;

  async function register(more: { sessionIdleSeconds?: number }): Promise<RelyingParty> {
    const metadata = { redirect_uris: [callback] };
    const { client } = await createClient(server, { kind: 'spa', firstParty: true, metadata, ...more });
    const about = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback };
    return RelyingParty.discover(about);
  }

  before(async () => {
    server = await startApp();
    [ordinary, strict] = [await register({}), await register({ sessionIdleSeconds: 600 })];
  });
  after(() => server[Symbol.asyncDispose]());

  const isBack = ({ url }: Page): boolean => url.origin === 'https://app.example';
  const go = async (web: WebClient, app: RelyingParty, parameters: Record<string, string> = {}): Promise<Page> =>
    web.open((await app.request(parameters)).url);

  async function signedIn(): Promise<Person & { web: WebClient; quietFor(milliseconds: number): Promise<void> }> {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    expect(isBack(await signIn(web, await go(web, ordinary), person))).to.equal(true);
    return {
      ...person,
      web,
      async quietFor(milliseconds) {
        const row = server.app.database.sql('session').where({ account_id: person.account.id });
        await row.update({ last_active_at: new Date(Date.now() - milliseconds) });
      },
    };
  }

  it('asks for the password again after it, and other apps do not', async () => {
    const person = await signedIn();
    await person.quietFor(9 * minute);
    expect(isBack(await go(person.web, strict)), 'not long enough').to.equal(true);
    await person.quietFor(11 * minute);
    const refused = await go(person.web, strict, { prompt: 'none' });
    expect(refused.url.searchParams.get('error')).to.equal('login_required');
    await person.quietFor(11 * minute);
    const page = expectPage(await go(person.web, strict), 'login');
    expect(isBack(await signIn(person.web, page, person))).to.equal(true);
  });

  it('counts what the browser did in other apps', async () => {
    const person = await signedIn();
    await person.quietFor(11 * minute);
    expect(isBack(await go(new WebClient(server.url), ordinary)), 'somebody else').to.equal(false);
    await person.quietFor(2 * minute);
    expect(isBack(await go(person.web, ordinary))).to.equal(true);
    expect(isBack(await go(person.web, strict))).to.equal(true);
  });

  it('is told which limits there are', async () => {
    const wrong = await register({ sessionIdleSeconds: 299 }).catch((error: Error) => error.message);
    expect(wrong).to.include('300 seconds or more');
    const { clients } = server.app.domains;
    const [client] = (await clients.list()).filter(({ sessionIdleSeconds }) => sessionIdleSeconds === 600);
    const none = await clients.update(
      client?.id ?? ('' as never),
      client?.version ?? 0,
      { sessionIdleSeconds: 0 },
      {
        kind: 'operator',
      },
    );
    expect((await clients.find(none.id))?.sessionIdleSeconds ?? 0).to.equal(0);
  });
});
