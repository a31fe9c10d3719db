import { expect } from 'chai';
import { addAuthenticator } from '../support/authenticator.ts';
import { type OtherOriginApp, openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { enterPassword, type Visitor, visit } from '../support/visitor.ts';

describe('passkeys on the sign-in pages, in a browser', function () {
  this.timeout(90_000);
  let server: RunningApp;
  let app: OtherOriginApp;

  before(async () => {
    const port = await freePort();
    server = await startApp({
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
      SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      SALLYPORT_EMAIL_STEP: 'alternative',
      SALLYPORT_EMAIL_SIGN_IN: 'code',
    });
    app = await openOtherOriginApp(server);
  });
  after(async () => {
    await app?.[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const open = ({ page }: Visitor, query = ''): Promise<unknown> => page.goto(`${app.origin}/sign-in?${query}`);
  const walk = (work: (visitor: Visitor) => Promise<void>, javaScript = true): Promise<void> =>
    visit(server, { origins: [app.origin], javaScript }, work);
  const press = ({ page }: Visitor): Promise<void> => page.locator('button[value=passkey]:visible').click();

  /** Signs in with the password and a mailed code, in a browser that is new to the account or not. */
  async function byMail(visitor: Visitor, person: Person): Promise<void> {
    await enterPassword(visitor, person);
    await visitor.at('email-code');
    const mails = await server.app.domains.notifications.list(50);
    const text = mails.find(({ to }) => to === person.account.email)?.content?.text ?? '';
    await visitor.submit({ code: /^(\d{8})$/m.exec(text)?.[1] ?? '' });
  }
  const allow = async ({ page, at, submit }: Visitor): Promise<void> => {
    await page.locator('body[data-page]').waitFor({ state: 'attached' });
    if ((await page.locator('body').getAttribute('data-page')) === 'consent') await submit({});
    await at('app-in');
  };

  it('are offered in a browser that the account knows, made by itself or with a press, and used without a name', async () => {
    const person = await createPerson(server);
    await walk(async (visitor) => {
      const { page, context, at } = visitor;
      const { session, authenticatorId } = await addAuthenticator(visitor.page);
      await open(visitor, 'scope=openid');
      await byMail(visitor, person);
      await allow(visitor);
      expect(await server.app.domains.passkeys.countOf(person.account.id), 'not in a strange browser').to.equal(0);
      await context.clearCookies({ name: /session/ });
      await open(visitor, 'scope=openid&prompt=login');
      await byMail(visitor, person);
      await at('offer-passkey');
      const made = new Promise((resolve) => session.once('WebAuthn.credentialAdded', resolve));
      await press(visitor);
      await made;
      await allow(visitor);
      expect(await server.app.domains.passkeys.countOf(person.account.id)).to.equal(1);

      await context.clearCookies();
      // The virtual authenticator answers the browser's own list at once, so nobody presses anything.
      await open(visitor, 'scope=openid&acr_values=aal2');
      await page.waitForURL(/callback|consent/);
      await allow(visitor);
      expect(app.answers.at(-1)?.claims?.acr).to.equal('aal2');
      expect(app.answers.at(-1)?.claims?.amr).to.include.members(['user', 'mfa']);

      await session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
      await context.clearCookies();
      await open(visitor, 'scope=openid');
      await enterPassword(visitor, person);
      await at('passkey');
      await session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true });
      await press(visitor);
      await allow(visitor);
      expect(app.answers.at(-1)?.claims?.amr).to.include.members(['pwd', 'user', 'mfa']);
    });
  });

  it('leave "Not now", and are not offered again for a month', async () => {
    const person = await createPerson(server);
    await walk(async (visitor) => {
      for (const turn of ['strange', 'offered', 'quiet']) {
        await open(visitor, `scope=openid${turn === 'strange' ? '' : '&prompt=login'}`);
        await byMail(visitor, person);
        if (turn === 'offered') {
          await visitor.at('offer-passkey');
          await visitor.submit({});
        }
        await allow(visitor);
      }
    });
  });

  it('without JavaScript hide their buttons, and the page says what else there is', async () => {
    const person = await createPerson(server);
    const { createAuthenticator } = await import('../passkeys/authenticator.ts');
    const { passkeys } = server.app.domains;
    const options = await passkeys.beginRegistration(person.account, 'test');
    await passkeys.finishRegistration(
      person.account,
      'test',
      createAuthenticator({ origin: server.url }).create(options),
    );
    await walk(async (visitor) => {
      await open(visitor, 'scope=openid');
      await enterPassword(visitor, person);
      await visitor.at('passkey');
      expect(await visitor.page.locator('button[value=passkey]:visible').count()).to.equal(0);
      expect(await visitor.text('.without-script')).to.include('needs JavaScript');
      await visitor.submit({}, 'email-code');
      await visitor.at('email-code');
    }, false);
  });

  it('look right on every page of these steps', async () => {
    const person = await createPerson(server);
    const { sql } = server.app.database;
    await walk(async (visitor) => {
      const { page, at, submit } = visitor;
      await open(visitor, 'scope=openid');
      await at('login');
      await page.locator('a[href$="/email"]').click();
      await at('email-sign-in');
      await submit({ username: person.login });
      await at('email-sign-in');
      await submit({ code: '00000000' });
      await at('email-sign-in');
      await submit({}, 'back');
      await enterPassword(visitor, person);
      await at('email-code');
      await submit({ code: '00000000' });
      await at('email-code');
      await submit({}, 'restart');
      await sql('account').where({ id: person.account.id }).update({ status: 'unverified' });
      await enterPassword(visitor, person);
      await at('unverified');
      await submit({}, 'resend');
      await at('unverified');
      await sql('account').where({ id: person.account.id }).update({ status: 'active' });
      await server.app.domains.passwordPolicy.requireChange(person.account.id);
    });
    const { accounts } = server.app.domains;
    await accounts.changing(person.account.id, async () => undefined);
    await walk(async (visitor) => {
      await open(visitor, 'scope=openid');
      await byMail(visitor, person);
      await visitor.at('change-password');
      await visitor.submit({ 'new-password': 'password1234567' });
      await visitor.at('change-password');
    });
  });
});
