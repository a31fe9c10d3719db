import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { Page as BrowserPage } from 'playwright-core';
import { hasMailViewer } from '../../src/app/mail.ts';
import { axe, browser } from '../support/browser.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';
import { type ReceivedMail, SmtpStub } from './smtp-stub.ts';

const callback = 'https://app.example/callback';
// Two wrong tries need no wait between them, so the pause comes at once.
const env = { SALLYPORT_LOCKOUT_TRIES: '2', SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' };
const chrome = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

async function registered(server: RunningApp): Promise<RelyingParty> {
  const input = { kind: 'spa', firstParty: true, metadata: { redirect_uris: [callback] } } as const;
  const { client } = await createClient(server, input);
  return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback });
}

/** Types a wrong password until the account, or the name that nobody has, is paused. */
async function pause(server: RunningApp, app: RelyingParty, login: string): Promise<void> {
  const web = new WebClient(server.url, { 'user-agent': chrome });
  let page = await web.open((await app.request()).url);
  for (let tries = 0; tries < 2; tries += 1) page = await signIn(web, page, { login, password: 'not this one' });
  expectPage(page, 'login');
}

describe('mail in the app', () => {
  let server: RunningApp;
  let app: RelyingParty;
  let web: WebClient;

  before(async () => {
    server = await startApp(env);
    app = await registered(server);
    web = new WebClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  /** The newest mail to a person, opened from the list. */
  async function mailTo(person: Person): Promise<Page> {
    const list = expectPage(await web.open('/dev/mail'), 'mail');
    const rows = list.text.split('<li>').filter((row) => row.includes(person.account.email));
    expect(rows, 'mails to this person').to.have.length(1);
    return expectPage(await web.open(/href="([^"]+)"/.exec(rows[0] ?? '')?.[1] ?? ''), 'mail-message');
  }

  /** The id of a mail to somebody new. */
  async function newMail(): Promise<string> {
    const { account, login } = await createPerson(server);
    await enrolTotp(server, account.id, login);
    const mails = await server.app.domains.notifications.list(100);
    return mails.find(({ to }) => to === account.email)?.id ?? 'none';
  }

  it('tells a person that their second factor is on', async () => {
    const person = await createPerson(server);
    await enrolTotp(server, person.account.id, person.login);
    const { text } = await mailTo(person);
    expect(text).to.include('Your second factor is on').and.to.include('Sallyport &lt;no-reply@127.0.0.1&gt;');
  });

  it('tells a person that a backup code was used, and how many are left', async () => {
    const person = await createPerson(server);
    const { backupCodes } = server.app.domains.credentials;
    const [code = ''] = await backupCodes.create(person.account.id);
    expect(await backupCodes.use(person.account.id, code, { ip: '203.0.113.7', userAgent: chrome })).to.equal(true);
    const { text } = await mailTo(person);
    expect(text).to.include('9 codes are left').and.to.include('203.0.113.7').and.to.include('Chrome on Windows');
    expect(text).to.include('CET').and.not.include(code);
  });

  it('tells a person that their account is paused, at the stored address whatever was typed', async () => {
    const person = await createPerson(server);
    await pause(server, app, person.account.email.toUpperCase());
    const { text } = await mailTo(person);
    expect(text).to.include('Your account is paused until').and.to.include('There were 2 wrong tries');
    expect(text).to.include('Chrome on Windows').and.include('127.0.0.1');
  });

  it('tells nobody about a name that nobody has, or an account that is suspended', async () => {
    const person = await createPerson(server);
    await server.app.domains.accounts.disable(person.account.id, { kind: 'operator' });
    const before = await server.app.domains.notifications.list(100);
    await pause(server, app, person.login);
    await pause(server, app, 'nobody@people.example');
    const seen = new Set(before.map(({ id }) => id));
    const later = (await server.app.domains.notifications.list(100)).filter(({ id }) => !seen.has(id));
    expect(later.map(({ to, status }) => [to, status])).to.deep.equal([['', 'refused']]);
  });

  it('makes no mail of an event whose action is undone', async () => {
    const { audit, notifications } = server.app.domains;
    const person = await createPerson(server);
    const undone = server.app.database.transaction(async () => {
      const by = { kind: 'account', id: person.account.id } as const;
      await audit.record({ type: 'second_factor.enrolled', actor: by, outcome: 'success', subject: person.account.id });
      throw new Error('the action failed');
    });
    await undone.catch(() => undefined);
    expect((await notifications.list(100)).filter(({ to }) => to === person.account.email)).to.deep.equal([]);
    expect(await audit.list({ subject: person.account.id, type: 'second_factor.enrolled', limit: 5 })).to.deep.equal(
      [],
    );
  });

  it('shows the HTML of a mail as a stranger: own colours, no script, no frame, no form', async () => {
    const html = await web.open(`/dev/mail/${await newMail()}/html`);
    expect(html.status).to.equal(200);
    expect(html.headers.get('content-security-policy')).to.equal(
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    );
    expect(html.headers.get('x-frame-options')).to.equal('DENY');
    expect(html.headers.get('cache-control')).to.equal('no-store');
  });

  it('answers what is not there with 404, and other methods with 405', async () => {
    for (const path of [
      '/dev/mail/mail_none',
      '/dev/mail/mail_none/html',
      '/dev/mail/%2e%2e',
      '/dev/mail/a%27b',
      '/dev',
    ]) {
      expect((await web.open(path)).status, path).to.equal(404);
    }
    expect((await web.open('/dev/mail/%ff')).status).to.be.within(400, 404);
    for (const method of ['POST', 'DELETE', 'PUT']) {
      expect((await web.fetch('/dev/mail', { method })).status, method).to.equal(405);
    }
  });

  it('reads well in a browser, in both themes and on a phone', async function () {
    this.timeout(120_000);
    const id = await newMail();
    const context = await (await browser()).newContext({ viewport: { width: 1280, height: 900 } });
    try {
      const page = await context.newPage();
      const check = async (page: BrowserPage, name: string): Promise<void> => {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          // Landmarks are the mail program's.
          const wrong = (await axe(page)).filter(
            (line) => name !== 'mail' || !/^(?:landmark-one-main|region):/.test(line),
          );
          expect(wrong, `${name} ${colorScheme}`).to.deep.equal([]);
        }
        await page.setViewportSize({ width: 320, height: 640 });
        expect(await page.evaluate('document.documentElement.scrollWidth'), name).to.equal(320);
        await page.setViewportSize({ width: 1280, height: 900 });
      };
      for (const path of ['/dev/mail', `/dev/mail/${id}`]) {
        await page.goto(server.url + path);
        await check(page, path);
      }
      await page.getByText('The same as HTML').click();
      expect(await page.locator('h1').textContent()).to.equal('Your second factor is on');
      // Its sandbox stops the checker too, so that gets the same document outside of it.
      const free = await context.newPage();
      await free.setContent((await server.app.domains.notifications.find(id))?.content?.html ?? '');
      await check(free, 'mail');
    } finally {
      await context.close();
    }
  });

  it('is not there in production, or when others can reach the server', async () => {
    expect(hasMailViewer({ production: true, local: true })).to.equal(false);
    expect(hasMailViewer({ production: false, local: false })).to.equal(false);
    await using production = await startApp({ ...env, NODE_ENV: 'production' });
    const person = await createPerson(production);
    await enrolTotp(production, person.account.id, person.login);
    const [mail] = await production.app.domains.notifications.list(1);
    expect(mail).to.deep.include({ to: person.account.email, status: 'pending' });
    const stranger = new WebClient(production.url);
    for (const path of ['/dev/mail', `/dev/mail/${mail?.id}`, `/dev/mail/${mail?.id}/html`]) {
      expect((await stranger.open(path)).status, path).to.equal(404);
    }
  });

  it('goes out by SMTP where there is a server, within seconds', async () => {
    await using stub = await SmtpStub.start();
    const arrived = Promise.withResolvers<ReceivedMail>();
    stub.behaviour = { onMail: arrived.resolve };
    const smtp = {
      SALLYPORT_SMTP_URL: `smtp://127.0.0.1:${stub.port}`,
      SALLYPORT_MAIL_FROM: 'Fernhill <id@fernhill.example>',
    };
    await using mailing = await startApp({ ...env, ...smtp });
    const person = await createPerson(mailing);
    await enrolTotp(mailing, person.account.id, person.login);
    const { from, to, raw } = await arrived.promise;
    expect([from, to]).to.deep.equal(['id@fernhill.example', [person.account.email]]);
    expect(raw)
      .to.match(/^From: Fernhill <id@fernhill\.example>\r$/m)
      .and.match(/^Subject: Your second factor is on\r$/m);
  });
});
