import { expect } from 'chai';
import * as oidc from 'openid-client';
import { postRaw, registeredApp, roomy } from '../flows/entry-visitor.ts';
import { createClient, createPerson } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

describe('a sign-in that was finished in one browser and is gone on with in another', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp(roomy);
    app = await registeredApp(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** A sign-in up to where its browser would be sent back to the protocol. */
  const finished = async () => {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    const page = expectPage(await web.open((await app.request({ response_mode: 'form_post' })).url), 'login');
    const { action, fields } = readForm(page.text, 'username');
    const given = { username: person.login, password: person.password, action: 'continue' };
    const answer = await postRaw(web, action, { ...fields, ...given });
    return { web, onward: answer.headers.get('location') ?? '' };
  };

  it('signs nobody in there, whatever cookies were planted', async () => {
    const { web, onward } = await finished();
    expect(onward).to.match(/\/oauth2\/authorize\/[\w-]+$/);
    const { pathname } = new URL(onward, server.url);
    const victim = new WebClient(server.url);
    await victim.open('/account/forgot-password');
    for (const [name, value] of web.cookies()) {
      if (name.startsWith('sp_resume')) victim.setCookie(name, value, pathname);
    }
    expect((await victim.fetch(onward)).status).to.equal(400);
    expect([...victim.cookies().keys()].filter((name) => name.startsWith('sp_session'))).to.deep.equal([]);
    expectPage(await victim.open('/account'), 'login');
  });

  it('goes on to a consent that is given after the browser was closed and opened again', async () => {
    const person = await createPerson(server);
    const { client } = await createClient(server, { kind: 'spa', metadata: { redirect_uris: [redirectUri] } });
    const about = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri };
    const other = await RelyingParty.discover(about);
    const web = new WebClient(server.url);
    const attempt = await other.request();
    const consent = expectPage(await signIn(web, await web.open(attempt.url), person), 'consent');
    // What is kept for as long as the browser is open only.
    web.setCookie('sp_csrf', '');
    const back = await allow(web, await web.open(consent.url));
    expect((await other.redeem(back.url, attempt)).claims()?.sub).to.equal(person.account.id);
  });

  it('goes on in its own', async () => {
    const { web, onward } = await finished();
    const answer = await web.fetch(onward);
    expect(answer.status).to.equal(200);
    expect(await answer.text()).to.include('name="code"');
  });
});
