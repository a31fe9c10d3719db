import { expect } from 'chai';
import { roomy } from '../flows/entry-visitor.ts';
import { createAuthenticator } from '../passkeys/authenticator.ts';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

/** Whoever has a passkey beside the password has two doors, whether or not there is an authenticator app too. */
describe('the console of somebody whose second door is a passkey', () => {
  let server: RunningApp;

  before(async () => {
    const port = await freePort();
    server = await startApp({
      ...roomy,
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_EMAIL_STEP: 'alternative',
    });
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function withPasskey(): Promise<Person> {
    const person = await createPerson(server);
    const { passkeys } = server.app.domains;
    const key = createAuthenticator({ origin: server.url });
    await passkeys.finishRegistration(
      person.account,
      't',
      key.create(await passkeys.beginRegistration(person.account, 't')),
    );
    return person;
  }

  async function mailedCode(person: Person): Promise<string> {
    const { app } = server;
    const [row] = await app.database
      .sql('outbox')
      .where({ recipient: person.account.email, template: 'sign-in-code' })
      .orderBy('created_at', 'desc');
    const text = (await app.domains.notifications.find(row.id))?.content?.text ?? '';
    return /\b\d{4}[ -]?\d{4}\b/.exec(text)?.[0] ?? '';
  }

  const removal = async (web: WebClient, person: Person) => {
    const page = await web.open('/account/passkeys');
    const [passkey] = await server.app.domains.passkeys.list(person.account.id);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const own = { 'sec-fetch-site': 'same-origin', origin: server.url };
    const me = await web.fetch('/api/v1/me', { headers: { accept: 'application/json', ...own } });
    const token = me.headers.get('x-csrf-token') ?? csrf;
    const answer = await web.fetch(`/api/v1/me/passkeys/${passkey?.id}`, {
      method: 'DELETE',
      headers: { accept: 'application/json', ...own, 'x-csrf-token': token },
    });
    return {
      me: me.status,
      page: page.name,
      removed: answer.status,
      left: await server.app.domains.passkeys.countOf(person.account.id),
    };
  };

  it('takes no mailed code for it: the passkey stays', async () => {
    const person = await withPasskey();
    const web = new WebClient(server.url);
    let page = await signIn(web, await web.open('/account'), person);
    expectPage(page, 'passkey');
    page = await web.submit(page, { action: 'email-code' }, 'csrf', 'action');
    const code = await mailedCode(person);
    page = await web.submit(page, { code, action: 'continue' }, 'code');
    const result = await removal(web, person);
    expect(result.left, JSON.stringify(result)).to.equal(1);
  });
});
