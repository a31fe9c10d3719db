import { expect } from 'chai';
import { registeredApp, roomy } from '../flows/entry-visitor.ts';
import { createPerson, type Person } from '../support/people.ts';
import { type RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

describe('a form of the console that was opened before somebody else signed in', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp(roomy);
    app = await registeredApp(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  const signInNext = async (web: WebClient, person: Person): Promise<void> => {
    const page = await web.open((await app.request({ prompt: 'login' })).url);
    const next = await signIn(web, page, person);
    // The browser has to leave the account that it was signed in to.
    const { url } = next.name === 'go-on' ? await web.submit(next, {}) : next;
    expect(url.searchParams.has('code'), next.name).to.equal(true);
  };

  it('does nothing to that account, and what it says is no riddle', async () => {
    const [first, second] = [await createPerson(server), await createPerson(server)];
    const web = new WebClient(server.url);
    const page = expectPage(await signIn(web, await web.open('/account/profile/email'), first), 'account-email');
    await signInNext(web, second);
    const refused = await web.submit(page, { email: 'mine@elsewhere.example', action: 'continue' }, 'email');
    expect([refused.status, refused.name]).to.deep.equal([403, 'error']);
    expect(refused.text).to.include('not made for the account that is signed in').and.include('Nothing was changed');
    const mails = await server.app.domains.notifications.list(200);
    expect(mails.filter(({ to }) => to === 'mine@elsewhere.example')).to.deep.equal([]);
    await signInNext(web, first);
    const taken = await web.submit(page, { email: 'mine@elsewhere.example', action: 'continue' }, 'email');
    expect(taken.status, taken.text).to.equal(200);
  });

  it('does nothing by the account API either', async () => {
    const [first, second] = [await createPerson(server), await createPerson(server)];
    const web = new WebClient(server.url);
    await signIn(web, await web.open('/account'), first);
    const ask = (method: string, from?: Response) =>
      web.fetch('/api/v1/me', {
        method,
        headers: {
          'content-type': 'application/json',
          ...(from && {
            'x-csrf-token': from.headers.get('x-csrf-token') ?? '',
            'if-match': from.headers.get('etag') ?? '',
          }),
        },
        ...(method === 'PATCH' && { body: JSON.stringify({ given_name: 'Somebody' }) }),
      });
    const before = await ask('GET');
    await signInNext(web, second);
    expect((await ask('PATCH', before)).status).to.equal(403);
    expect((await server.app.domains.accounts.find(second.account.id))?.profile.given_name).to.equal('Mara');
    const own = await ask('GET');
    const done = await ask('PATCH', own);
    expect(done.status, await done.text()).to.equal(200);
  });
});
