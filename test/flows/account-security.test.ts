import { expect } from 'chai';
import { deviceText } from '../../src/devices/index.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const nextPassword = 'seven quiet lamps over water';

/** What is said to the person, as text. */
const said = (page: Page): string =>
  page.text
    .replace(/<(svg|script|style)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

for (const lane of fullestStoreLane()) {
  describe(`the account console's pages about signing in, on ${lane.name}`, () => {
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
        SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const enter = async (person: Person, path = '/account'): Promise<{ web: WebClient; page: Page }> => {
      const web = new WebClient(server.url);
      return { web, page: await signIn(web, await web.open(path), person) };
    };
    const typesOf = async ({ account }: Person): Promise<string[]> =>
      (await server.app.domains.audit.list({ subject: account.id, limit: 200 })).map(({ type }) => type);
    const countOf = async (person: Person, type: string): Promise<number> =>
      (await typesOf(person)).filter((other) => other === type).length;
    const changePassword = (web: WebClient, page: Page, current: string, next = nextPassword): Promise<Page> =>
      web.submit(page, { 'current-password': current, 'new-password': next, action: 'continue' }, 'new-password');

    it('greets the person, says what to do next, and marks the page in the navigation', async () => {
      const person = await createPerson(server);
      const { page } = await enter(person);
      expectPage(page, 'account-overview');
      expect(said(page)).to.include('Hello, Mara').and.include('Turn on two-step verification');
      expect(page.text).to.include('href="/account" aria-current="page"');
      expect(page.headers.get('cache-control')).to.equal('no-store');
    });

    it('changes the password, keeps this browser and signs out every other', async () => {
      const person = await createPerson(server);
      const { web: other } = await enter(person);
      const { web, page } = await enter(person, '/account/password');
      expectPage(page, 'account-password');
      const done = expectPage(await changePassword(web, page, person.password), 'account-overview');
      expect(done.url.pathname).to.equal('/account');
      expect(said(done)).to.include('Your password is changed.');
      expectPage(await web.open('/account'), 'account-overview');
      expectPage(await other.open('/account'), 'login');
      const { credentials } = server.app.domains;
      expect(await credentials.verifyPassword(person.account.id, nextPassword)).to.equal(true);
      expect(await credentials.verifyPassword(person.account.id, person.password)).to.equal(false);
      // The first one was set when the person was made.
      expect(await countOf(person, 'password.changed')).to.equal(2);
    });

    it('says at the field what is wrong with a password, and changes nothing', async () => {
      const person = await createPerson(server);
      const { web, page } = await enter(person, '/account/password');
      const empty = expectPage(await changePassword(web, page, ''), 'account-password');
      expect([empty.status, said(empty)])
        .to.have.nested.property('[1]')
        .that.includes('Enter the password that you have now');
      const wrong = expectPage(await changePassword(web, page, 'not my password'), 'account-password');
      expect(wrong.status).to.equal(422);
      expect(said(wrong)).to.include('That is not your password');
      const weak = expectPage(await changePassword(web, page, person.password, 'short'), 'account-password');
      expect(weak.status).to.equal(422);
      expect(said(weak)).to.include('Use 15 characters or more');
      for (const text of [wrong.text, weak.text]) {
        expect(text).to.not.include(person.password).and.not.include('not my password');
      }
      expect(await countOf(person, 'password.changed')).to.equal(1);
      expect(await countOf(person, 'password.change_failed')).to.equal(1);
    });

    it('counts wrong passwords where the sign-in counts them, and pauses as it does', async () => {
      const person = await createPerson(server);
      const { web, page } = await enter(person, '/account/password');
      await changePassword(web, page, 'a guess');
      const { database } = server.app;
      // That of this browser, which the account knows.
      const counts = database.sql('sign_in_throttle').where('key', 'like', `${person.account.id}%`);
      const rows: { key: string; failures: number }[] = await counts.where('failures', '>', 0).select();
      expect(rows.map(({ key, failures }) => [key.includes(':'), failures])).to.deep.equal([[true, 1]]);
      await createSqlThrottleStore(database).reserve({ account: rows[0]?.key ?? '' }, [900_000, 900_000], Date.now());
      const paused = await changePassword(web, page, person.password);
      expect([paused.status, Number(paused.headers.get('retry-after'))]).to.satisfy(
        ([status = 0, wait = 0]: number[]) => status === 429 && wait > 800 && wait <= 900,
      );
      expect(said(paused)).to.include('Too many wrong passwords. Nothing was changed. Try again at');
      expect(await countOf(person, 'password.changed')).to.equal(1);
    });

    it('turns two-step verification on, shows the codes once, and asks for no code again in this browser', async () => {
      const person = await createPerson(server);
      const { web, page } = await enter(person, '/account/two-step/authenticator');
      expectPage(page, 'account-authenticator');
      const secret = /data-text="([A-Z2-7]+)"/.exec(page.text)?.[1] ?? '';
      const again = await web.open('/account/two-step/authenticator');
      expect(again.text, 'the same secret until it is confirmed').to.include(secret);
      const { generate } = await import('otplib');
      const wrong = expectPage(await web.submit(page, { code: '000000', action: 'continue' }), 'account-authenticator');
      expect([wrong.status, said(wrong).includes('That code does not match')]).to.deep.equal([422, true]);
      const codes = expectPage(
        await web.submit(page, { code: await generate({ secret }), action: 'continue' }),
        'account-backup-codes',
      );
      const list = [...codes.text.matchAll(/<li>([0-9a-z-]{19})<\/li>/g)].map(([, code]) => code);
      expect(list).to.have.length(10);
      const file = await web.submit(codes, { action: 'download' }, 'codes');
      expect(file.headers.get('content-disposition')).to.include('sallyport-backup-codes.txt');
      for (const code of list) expect(file.text).to.include(code);
      const after = expectPage(
        await web.submit(codes, { stored: 'yes', action: 'continue' }, 'stored'),
        'account-two-step',
      );
      expect(said(after)).to.include('10 left');
      for (const path of ['/account', '/account/two-step/backup-codes']) {
        for (const code of list) expect((await web.open(path)).text).to.not.include(code);
      }
      expect(await countOf(person, 'second_factor.enrolled')).to.equal(1);
      expect(await countOf(person, 'backup_codes.created')).to.equal(1);
      const { page: door } = await enter(person);
      expectPage(door, 'totp');
    });

    /** Signed in with both factors, at the page. */
    const enterWithCode = async (
      person: Person,
      code: string,
      path: string,
    ): Promise<{ web: WebClient; page: Page }> => {
      const { web, page } = await enter(person, path);
      return { web, page: await web.submit(expectPage(page, 'totp'), { code, action: 'continue' }, 'code') };
    };

    it('replaces the authenticator without a gap and keeps the backup codes', async () => {
      const person = await createPerson(server);
      const { credentials } = server.app.domains;
      const old = await enrolTotp(server, person.account.id, person.login);
      await credentials.backupCodes.create(person.account.id);
      const { web, page } = await enterWithCode(person, await old.code(), '/account/two-step/authenticator');
      expectPage(page, 'account-authenticator');
      expect(await credentials.totp.verify(person.account.id, await old.code(1)), 'the old one still works').to.equal(
        'accepted',
      );
      const { generate } = await import('otplib');
      const secret = /data-text="([A-Z2-7]+)"/.exec(page.text)?.[1] ?? '';
      const done = await web.submit(page, { code: await generate({ secret }), action: 'continue' });
      expectPage(done, 'account-two-step');
      expect(said(done)).to.include('The new authenticator app is in use').and.include('10 left');
      expect(await credentials.totp.verify(person.account.id, await old.code(1))).to.equal('wrong');
    });

    it('makes new backup codes in the place of the old ones', async () => {
      const person = await createPerson(server);
      const { credentials } = server.app.domains;
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const [first = ''] = await credentials.backupCodes.create(person.account.id);
      const { web, page } = await enterWithCode(person, await code(), '/account/two-step/backup-codes');
      const made = expectPage(await web.submit(page, { action: 'renew' }, 'csrf'), 'account-backup-codes');
      const [, next = ''] = /<li>([0-9a-z-]{19})<\/li>/.exec(made.text) ?? [];
      expect(await credentials.backupCodes.use(person.account.id, first)).to.equal(false);
      expect(await credentials.backupCodes.use(person.account.id, next)).to.equal(true);
    });

    it('turns two-step verification off, warns of the apps that ask for it, and signs this browser out too', async () => {
      const person = await createPerson(server);
      const { consents } = server.app.domains;
      const { client } = await createClient(server, {
        kind: 'web',
        name: 'Vault & Co',
        metadata: { redirect_uris: ['https://vault.example/cb'] },
        requireSecondFactor: true,
      });
      await consents.grant(person.account.id, client.id, { scopes: ['openid'], claims: [], resources: {} });
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const { web, page } = await enterWithCode(person, await code(), '/account/two-step/off');
      expectPage(page, 'account-two-step-off');
      expect(said(page))
        .to.include('Vault &amp; Co asks for two steps')
        .and.include('Turn off two\u2011step verification?');
      expect(page.text).to.include('<title>Turn off two-step verification · ');
      expectPage(await web.submit(page, { action: 'continue' }, 'csrf'), 'login');
      expect((await server.app.domains.credentials.factorsOf(person.account.id)).totp).to.equal(false);
      expect(await countOf(person, 'second_factor.removed')).to.equal(1);
      await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)));
      const done = await signIn(web, await web.open('/account/two-step?done=off'), person);
      expect(said(expectPage(done, 'account-two-step'))).to.include('Two-step verification is off');
    });

    it('wants a long password before the second factor goes', async () => {
      const person = await createPerson(server);
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const short = 'Vq7#xLm2pT';
      await server.app.domains.credentials.setPassword(person.account.id, short);
      // Sessions count in whole seconds: what signs in within this one is over as well.
      await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)));
      const { web, page } = await enterWithCode({ ...person, password: short }, await code(), '/account/two-step/off');
      expect(said(expectPage(page, 'account-two-step-off'))).to.include('Your password is too short to stand alone');
      const csrf = /name="csrf" value="([^"]+)"/.exec((await web.open('/account/password')).text)?.[1] ?? '';
      const refused = await web.post('/account/two-step/off', { csrf, action: 'continue' });
      expect([refused.status, refused.name]).to.deep.equal([422, 'account-two-step-off']);
      expect((await server.app.domains.credentials.factorsOf(person.account.id)).totp).to.equal(true);
      const changed = await changePassword(web, await web.open('/account/password'), short);
      // What was shown before the change is over, the second factor too. So is what is shown within this second.
      await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)));
      const back = await web.submit(expectPage(changed, 'totp'), { code: await code(1), action: 'continue' }, 'code');
      expect(said(expectPage(back, 'account-overview'))).to.include('Your password is changed');
      // That session is dated the second of the change, and an ending within it would not reach it.
      await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)));
      const off = expectPage(await web.open('/account/two-step/off'), 'account-two-step-off');
      expectPage(await web.submit(off, { action: 'continue' }, 'csrf'), 'login');
    });

    it('lists the browsers that skip the second step and makes them forget it', async () => {
      const person = await createPerson(server);
      const { devices } = server.app.domains;
      const userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
      await devices.remember(person.account.id, 'aaaaaaaaaaaaaaaaaaaaaa', { userAgent, ip: '192.0.2.9' });
      const { web, page } = await enter(person, '/account/two-step/remembered');
      expectPage(page, 'account-remembered');
      expect(said(page))
        .to.include(deviceText({ browser: 'Firefox', os: 'Windows' }) ?? '')
        .and.include('192.0.2.9');
      expectPage(await web.submit(page, { action: 'continue' }, 'csrf'), 'account-two-step');
      expect(await devices.listRemembered(person.account.id)).to.deep.equal([]);
      expect(said(await web.open('/account/two-step/remembered'))).to.include('No browser skips it');
    });

    it('does nothing for a form of another site, and repeats nothing of a request', async () => {
      const person = await createPerson(server);
      const { web } = await enter(person);
      const forged = await web.post('/account/password', {
        'current-password': person.password,
        'new-password': nextPassword,
        action: 'continue',
      });
      expect(forged.status).to.equal(403);
      expect(await countOf(person, 'password.changed')).to.equal(1);
      const flashed = await web.open('/account?done=You+have+been+hacked');
      expect(flashed.text).to.not.include('hacked');
      for (const code of ['constructor', '__proto__', 'toString']) {
        expect((await web.open(`/account/two-step?done=${code}`)).text).to.not.include('role="status"><svg');
      }
    });
  });
}
