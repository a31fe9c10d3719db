import { expect } from 'chai';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const path = '/admin/sessions';

describe('sessions in the admin console', () => {
  let server: RunningApp;
  let admin: Person;
  let web: WebClient;

  before(async () => {
    server = await startApp();
    admin = await createPerson(server);
    await server.app.domains.accounts.update(admin.account.id, admin.account.version, { roles: ['admin'] }, operator);
    web = new WebClient(server.url);
    expectPage(await signIn(web, await web.open(path), admin), 'admin-sessions');
  });
  after(() => server[Symbol.asyncDispose]());

  /** Somebody who is signed in, with the browser. */
  async function signedIn(): Promise<Person & { browser: WebClient }> {
    const person = await createPerson(server);
    const browser = new WebClient(server.url, {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0',
    });
    expectPage(await signIn(browser, await browser.open('/account/sessions'), person), 'account-sessions');
    return { ...person, browser };
  }
  const openOf = ({ account }: Person) => server.app.domains.sessions.list(account.id);
  const find = async (q: string): Promise<Page> =>
    expectPage(await web.open(`${path}?${new URLSearchParams({ q })}`), 'admin-sessions');
  const tokenIn = ({ text }: Page): string => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';

  it('are found by name, address and id, and nobody else is', async () => {
    const person = await signedIn();
    for (const q of [person.login, ` ${person.account.email.toUpperCase()} `, person.account.id]) {
      const { text } = await find(q);
      expect(text)
        .to.include('Mara Lindgren')
        .and.include('Firefox on Linux')
        .and.match(/trust \d+ of 100/);
    }
    expect((await find('')).text).to.include('Look for somebody');
    for (const q of ['nobody', `"><script>x()</script>`, '%00', 'x'.repeat(5000)]) {
      const page = await web.open(`${path}?${new URLSearchParams({ q })}`);
      expect(page.status, q.slice(0, 40)).to.be.below(500);
      expect(page.text).to.not.include('<script>x');
    }
  });

  it('end one by one and all at once, with everything that the browser could do', async () => {
    const person = await signedIn();
    const other = await signedIn();
    const [session] = await openOf(person);
    const page = await find(person.login);
    const done = await web.submit(page, { session: session?.id ?? '', action: 'end' }, 'session');
    expect(expectPage(done, 'admin-sessions').text).to.include('That session has ended');
    expect(await openOf(person)).to.have.lengthOf(0);
    expectPage(await person.browser.open('/account/sessions'), 'login');
    const again = await web.submit(page, { session: session?.id ?? '', action: 'end' }, 'session');
    expect(again.text).to.include('had ended already');
    const rows = await server.app.domains.audit.list({ subject: person.account.id, type: 'session.ended', limit: 5 });
    expect(rows).to.have.lengthOf(1);
    expect(rows[0]).to.deep.include({ actor: { kind: 'account', id: admin.account.id }, sessionId: session?.id });

    const all = await web.post(path, { csrf: tokenIn(await find(other.login)), user: other.account.id, action: 'all' });
    expect(expectPage(all, 'admin-sessions').text).to.include('signed out everywhere');
    expectPage(await other.browser.open('/account/sessions'), 'login');
  });

  it('are ended only for the account that was looked at, and only by the form', async () => {
    const [person, bystander] = [await signedIn(), await signedIn()];
    const [theirs] = await openOf(bystander);
    const csrf = tokenIn(await find(person.login));
    for (const fields of [
      { csrf, user: person.account.id, session: theirs?.id ?? '', action: 'end' },
      { csrf, user: 'acc_nobody', session: theirs?.id ?? '', action: 'end' },
      { csrf, user: person.account.id, action: 'other' },
      { csrf, action: 'all' },
    ]) {
      expect((await web.post(path, fields)).text).to.include('had ended already');
    }
    const forged = { csrf: 'x', user: person.account.id, action: 'all' };
    expect((await web.post(path, forged)).status).to.equal(403);
    expect((await openOf(person)).length + (await openOf(bystander)).length).to.equal(2);
  });

  it('are for administrators, whose role counts with the next click', async () => {
    const person = await signedIn();
    expectPage(await person.browser.open(path), 'denied');
    const csrf = tokenIn(await find(person.login));
    const posted = await person.browser.post(path, { csrf, user: admin.account.id, action: 'all' });
    expect(posted.status).to.equal(403);
    expect(await openOf(admin)).to.have.lengthOf(1);
  });
});
