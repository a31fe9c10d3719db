import { expect } from 'chai';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { type OtherOriginApp, openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { tabTo, type Visitor, visit } from '../support/visitor.ts';
import { mailed, roomy } from './entry-visitor.ts';

const operator = { kind: 'operator' } as const;

describe('registering and recovering with a browser', function () {
  this.timeout(90_000);
  let server: RunningApp;
  let app: OtherOriginApp;

  before(async () => {
    server = await startApp(roomy);
    app = await openOtherOriginApp(server);
  });
  after(async () => {
    await app?.[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const find = (email: string) => server.app.domains.accounts.findByLogin(email);
  const visitApp = (walk: (visitor: Visitor) => Promise<void>, javaScript = true): Promise<void> =>
    visit(server, { origins: [app.origin], javaScript }, walk);
  const openMail = async ({ page }: Visitor, to: string, template: string): Promise<string> => {
    const { path, token } = await mailed(server, to, template);
    await page.goto(`${server.url}${path}`);
    return token;
  };

  for (const javaScript of [true, false]) {
    it(`goes from the sign-in of an app by registration and mail back to the app by keyboard, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const [email, password] = [newAddress(), goodPassword()];
      await visitApp(async (visitor) => {
        const { page, at, text } = visitor;
        await page.goto(`${app.origin}/sign-in`);
        await at('login');
        await tabTo(page, 'a[href^="/account/register"]');
        await page.keyboard.press('Enter');
        await at('register');
        await page.keyboard.type(email);
        await tabTo(page, '#new-password');
        await page.keyboard.type(password);
        await page.keyboard.press('Enter');
        await at('check-mail');
        expect(await text('main')).to.include(email);

        const token = await openMail(visitor, email, 'verify-email');
        await at('verify-email');
        expect(page.url()).to.equal(`${server.url}/account/verify-email`);
        expect(await page.locator('[name=token]').inputValue()).to.equal(token);
        // Loaded again, for example because a phone put it away, it is still whole.
        await page.reload();
        await at('verify-email');
        expect((await find(email))?.status).to.equal('unverified');
        await tabTo(page, 'button[value=continue]');
        await page.keyboard.press('Enter');
        await page.locator('h1', { hasText: 'is confirmed' }).waitFor();
        await at('verify-email');
        // No step of the way back has the token in its address.
        await page.goBack();
        expect(page.url()).not.to.include('token');
        await page.goForward();
        await at('verify-email');
        expect(await text('h1')).to.match(/is confirmed/);
        await page.locator('a.primary').click();
        await at('login');
        await page.locator('#username').fill(email);
        await page.locator('#password').fill(password);
        await page.keyboard.press('Enter');
        await page.waitForURL(/consent|callback/);
        if (page.url().includes('consent')) await visitor.submit({});
        await at('app-in');
      }, javaScript);
      expect(app.answers.at(-1)?.claims?.sub).to.equal((await find(email))?.id);
    });
  }

  it('shows in another browser what somebody registered, and lets its owner set a password or remove it', async () => {
    const [email, other] = [newAddress(), newAddress()];
    await visitApp(async ({ page, at, submit }) => {
      for (const address of [email, other]) {
        await page.goto(`${server.url}/account/register`);
        await at('register');
        await submit({ email: address, 'new-password': goodPassword() });
        await at('check-mail');
      }
    });
    await visitApp(async (visitor) => {
      const { at, submit, text, page } = visitor;
      await openMail(visitor, email, 'verify-email');
      await at('verify-email');
      expect((await submit({ password: 'not the one' })).status()).to.equal(422);
      await at('verify-email');
      expect(await page.title()).to.match(/^Error: /);
      expect(await page.evaluate('document.activeElement.id')).to.equal('password');
      await submit({}, 'own');
      await at('verify-email');
      await submit({ 'new-password': 'short' });
      await at('verify-email');
      expect(await page.evaluate('document.activeElement.id')).to.equal('new-password');
      await submit({ 'new-password': goodPassword() });
      await at('verify-email');
      expect(await text('h1')).to.equal('Your address is confirmed');
      await openMail(visitor, other, 'verify-email');
      await submit({}, 'discard');
      await at('verify-email');
      expect(await text('h1')).to.equal('Remove this registration?');
      await submit({});
      await at('verify-email');
      expect(await text('h1')).to.equal('The registration is removed');
      expect(await find(other)).to.equal(undefined);
    });
  });

  it('says what is wrong with a registration, shows how strong a password is, and keeps the address', async () => {
    await visitApp(async ({ page, at, submit, text }) => {
      await page.goto(`${server.url}/account/register`);
      await at('register');
      expect(await page.locator('meter').isVisible()).to.equal(false);
      await page.locator('#new-password').pressSequentially('meadow');
      expect(await page.locator('meter').isVisible()).to.equal(true);
      expect((await submit({ email: 'nobody', 'new-password': goodPassword() })).status()).to.equal(422);
      await at('register');
      expect(await page.evaluate('document.activeElement.id')).to.equal('email');
      await submit({ email: 'mara@fernhill.example', 'new-password': 'short' });
      await at('register');
      expect(await page.evaluate('document.activeElement.id')).to.equal('new-password');
      expect(await page.locator('#email').inputValue()).to.equal('mara@fernhill.example');
      const input = page.locator('#new-password');
      expect(await input.getAttribute('aria-describedby')).to.equal('new-password-error');
      await input.pressSequentially('meadow');
      expect(await page.locator('.error, [aria-invalid]').count()).to.equal(0);
      expect(await input.getAttribute('aria-describedby')).to.equal('new-password-hint');
      expect(await text('#new-password-hint')).to.match(/^Use 15 characters or more\. A few words/);
      await at('register');
    });
  });

  it('sets a forgotten password, changes an address and uses a recovery link', async () => {
    const person = await createPerson(server);
    const { email, id } = person.account;
    const to = newAddress();
    const next = goodPassword();
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await at('login');
      await page.locator('a[href^="/account/forgot-password"]').click();
      await at('forgot-password');
      await submit({ username: person.login });
      await at('check-mail');
      await openMail(visitor, email, 'reset-password');
      await at('reset-password');
      expect(page.url()).to.equal(`${server.url}/account/reset-password`);
      await submit({ 'new-password': 'short' });
      await at('reset-password');
      await submit({ 'new-password': next });
      await at('reset-password');
      expect(await text('h1')).to.equal('Your new password is set');
      expect(await page.locator('a.primary').getAttribute('href')).to.match(/^\/sign-in\/[\w-]{43}$/);
      await openMail(visitor, email, 'reset-password').catch(() => undefined);
      await at('reset-password');
      expect(await text('h1')).to.equal('This link does not work any more');

      await server.app.domains.registration.changeEmail(id, to);
      await openMail(visitor, to, 'change-email');
      await at('confirm-email');
      await submit({});
      await at('confirm-email');
      expect(await text('h1')).to.equal('Your address is changed');

      await server.app.domains.credentials.backupCodes.create(id);
      await server.app.domains.recovery.issueLink(id, operator);
      await openMail(visitor, to, 'recovery-link');
      await at('recover');
      await submit({ password: 'wrong' });
      await at('recover');
      await submit({ password: next });
      await at('recover');
      expect(await text('h1')).to.equal('Your account is yours again');
    });
  });
});
