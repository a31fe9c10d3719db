import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { type OtherOriginApp, openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { enterPassword, sharedServer, tabTo, type Visitor, visit } from '../support/visitor.ts';

const focused = (page: Page): Promise<unknown> => page.evaluate('document.activeElement.id');

describe('signing in with a browser, for an app on another origin', function () {
  this.timeout(60_000);
  let server: RunningApp;
  let app: OtherOriginApp;

  before(async () => {
    server = await sharedServer();
    app = await openOtherOriginApp(server);
  });
  after(() => app?.[Symbol.asyncDispose]());

  const enrolled = async (): Promise<Person & Awaited<ReturnType<typeof enrolTotp>>> => {
    const person = await createPerson(server);
    return { ...person, ...(await enrolTotp(server, person.account.id, person.login)) };
  };
  const open = ({ page }: Visitor, query = ''): Promise<unknown> => page.goto(`${app.origin}/sign-in?${query}`);
  const visitApp = (walk: (visitor: Visitor) => Promise<void>, javaScript = true): Promise<void> =>
    visit(server, { origins: [app.origin], javaScript }, walk);

  /** Password, code, consent: with the keyboard and nothing else. */
  async function walkByKeyboard({ page, at }: Visitor, person: Awaited<ReturnType<typeof enrolled>>): Promise<void> {
    await at('login');
    await page.keyboard.type(person.login);
    await tabTo(page, '#password');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    await at('totp');
    await page.keyboard.type(await person.code());
    await page.keyboard.press('Enter');
    await at('consent');
    await tabTo(page, 'button[value=continue]');
    await page.keyboard.press('Enter');
    await at('app-in');
  }

  for (const javaScript of [true, false]) {
    it(`goes through both doors and consent back to the app by keyboard, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const person = await enrolled();
      await visitApp(async (visitor) => {
        const { page, text } = visitor;
        await open(visitor, 'scope=openid+profile+email');
        await walkByKeyboard(visitor, person);
        expect(new URL(page.url()).origin).to.equal(app.origin);
        expect(new URL(page.url()).searchParams.get('code')).to.be.a('string');
        expect(await text('#text')).to.equal(person.account.id);
      }, javaScript);
      const answer = app.answers.at(-1);
      expect(answer?.parameters.get('iss')).to.equal(server.url);
      expect(answer?.claims).to.include({ sub: person.account.id, acr: 'aal2' });
      expect(answer?.claims?.amr).to.have.members(['pwd', 'otp', 'mfa']);
    });
  }

  it('would be stopped on the way back by a form-action policy, so this browser sees the trap', async () => {
    const person = await createPerson(server);
    await visit(server, { origins: [app.origin], expected: /form-action/ }, async (visitor) => {
      const { page, context, violations } = visitor;
      await context.route('**/sign-in/*/consent', async (route) => {
        const response = await route.fetch({ maxRedirects: 0 });
        const headers = response.headers();
        const policy = `${headers['content-security-policy']}; form-action 'self'`;
        await route.fulfill({ response, headers: { ...headers, 'content-security-policy': policy } });
      });
      await open(visitor);
      await enterPassword(visitor, person);
      await visitor.at('consent');
      // Only a page that was asked for by name can be changed on its way, not one that a redirect led to.
      await page.reload();
      const before = app.answers.length;
      const complaint = page.waitForEvent('console', (message) => /form-action/.test(message.text()));
      await page.locator('button[value=continue]').click({ noWaitAfter: true });
      await complaint;
      await visitor.at('consent');
      expect(violations.join()).to.include('form-action');
      expect(app.answers).to.have.length(before);
    });
  });

  it('says what is wrong with a password, in the title too, and puts the keyboard where it is put right', async () => {
    const person = await createPerson(server);
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await open(visitor);
      await at('login');
      expect(await page.title()).to.match(/^Sign in to /);
      const answer = await submit({ username: person.login, password: 'wrong' });
      expect(answer.status()).to.equal(422);
      await at('login');
      expect(await page.title()).to.match(/^Error: Sign in to /);
      expect(await text('[role=alert]')).to.include('do not match');
      expect(await focused(page)).to.equal('password');
      expect(await page.locator('#username').inputValue()).to.equal(person.login);
      expect(await page.locator('#password').inputValue()).to.equal('');
      await page.keyboard.type(person.password);
      await page.keyboard.press('Enter');
      await at('consent');
    });
  });

  it('fills in who the app says or the browser knows, and the keyboard waits at the password', async () => {
    const person = await createPerson(server);
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await open(visitor, `login_hint=${encodeURIComponent(person.login)}`);
      await at('login');
      expect(await page.locator('#username').inputValue()).to.equal(person.login);
      expect(await focused(page)).to.equal('password');
      await submit({ password: person.password });
      await at('consent');
      await submit({});
      await at('app-in');

      await open(visitor, 'prompt=login');
      await at('login');
      expect(await text('h1')).to.equal('Confirm that it is you');
      expect(await text('main')).to.include(person.account.email);
      expect(await page.locator('#username').inputValue()).to.equal(person.login);
      expect(await focused(page)).to.equal('password');
      await open(visitor, 'prompt=login&login_hint=somebody.else');
      await at('login');
      expect(await text('main')).to.not.include(person.account.email);
      expect(await page.locator('#username').inputValue()).to.equal('somebody.else');
    });
  });

  it('pauses an account after too many tries and says until when', async () => {
    const person = await createPerson(server);
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await open(visitor);
      await at('login');
      // A few failures in a row make the next try wait for a moment, the fifth for long.
      for (let tries = 0; tries < 8 && !(await page.locator('time').count()); tries += 1) {
        const answer = await submit({ username: person.login, password: `wrong ${tries}` });
        if (answer.status() === 422) continue;
        expect(answer.status()).to.equal(429);
        expect(Number(answer.headers()['retry-after'])).to.be.at.least(1);
        expect(await text('[role=alert]')).to.match(/^Too many wrong tries\. Try again (in a moment|at \d\d:\d\d)\.$/);
      }
      await at('login');
      expect(await page.title()).to.match(/^Error: /);
      expect(await page.locator('time').count()).to.equal(1);
      expect(await page.evaluate('document.activeElement.getAttribute("role")')).to.equal('alert');
    });
  });

  it('opens the second door with a backup code, and says when a code is none', async () => {
    const person = await enrolled();
    const [code = ''] = await server.app.domains.credentials.backupCodes.create(person.account.id);
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await open(visitor);
      await enterPassword(visitor, person);
      await at('totp');
      expect((await submit({ code: '000000' })).status()).to.equal(422);
      await at('totp');
      expect(await page.title()).to.match(/^Error: /);
      expect(await focused(page)).to.equal('code');
      await submit({}, 'backup-code');
      await at('backup-code');
      expect(await focused(page)).to.equal('code');
      await submit({ code: 'aaaa-bbbb-cccc-dddd' });
      await at('backup-code');
      expect(await page.title()).to.match(/^Error: /);
      expect(await text('[role=alert]')).to.include('not one of your unused backup codes');
      await submit({}, 'back');
      await at('totp');
      await submit({}, 'backup-code');
      await submit({ code: code.toUpperCase().replaceAll('-', ' ') });
      await at('consent');
      await submit({});
      await at('app-in');
    });
    expect(app.answers.at(-1)?.claims?.acr).to.equal('aal2');
  });

  it('starts again as someone else from the second door', async () => {
    const [person, other] = [await enrolled(), await createPerson(server)];
    await visitApp(async (visitor) => {
      const { at, submit } = visitor;
      await open(visitor);
      await enterPassword(visitor, person);
      await at('totp');
      await submit({}, 'restart');
      await enterPassword(visitor, other);
      await at('consent');
      await submit({});
      await at('app-in');
    });
    expect(app.answers.at(-1)?.claims?.sub).to.equal(other.account.id);
  });

  it('goes back to the app with the answer "no" from the first page', async () => {
    await visitApp(async (visitor) => {
      const { at, submit, text } = visitor;
      await open(visitor);
      await at('login');
      await submit({}, 'cancel');
      await at('app-refused');
      expect(await text('#text')).to.equal('access_denied');
    });
  });
});
