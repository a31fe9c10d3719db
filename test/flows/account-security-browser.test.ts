import { expect } from 'chai';
import { generate } from 'otplib';
import type { Page } from 'playwright-core';
import { addAuthenticator } from '../support/authenticator.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { enterPassword, tabTo, type VisitOptions, type Visitor, visit } from '../support/visitor.ts';

describe('the account console in a browser', function () {
  this.timeout(120_000);
  let server: RunningApp;

  before(async () => {
    const port = await freePort();
    // Browsers make no passkeys for a bare address.
    server = await startApp({
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
    });
  });
  after(() => server?.[Symbol.asyncDispose]());

  const open = (
    person: Person,
    path: string,
    walk: (visitor: Visitor) => Promise<void>,
    options: VisitOptions = {},
  ): Promise<void> =>
    visit(server, options, async (visitor) => {
      await visitor.page.goto(`${server.url}${path}`);
      await enterPassword(visitor, person);
      await walk(visitor);
    });
  const goTo = (page: Page, path: string) => page.goto(`${server.url}${path}`);
  /** Nothing is cut off on a small phone. */
  const fits = async (page: Page): Promise<void> => {
    const size = page.viewportSize();
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), `width of ${page.url()}`).to.equal(320);
    if (size) await page.setViewportSize(size);
  };

  it('takes somebody from a password alone to two doors and a passkey', async () => {
    const person = await createPerson(server);
    await open(person, '/account', async ({ page, at, submit, text }) => {
      await at('account-overview');
      await fits(page);
      await page.getByRole('link', { name: 'Turn on', exact: true }).click();
      await at('account-authenticator');
      await fits(page);
      const secret = (await page.locator('#key').getAttribute('data-text')) ?? '';
      await submit({ code: '000000' });
      await at('account-authenticator');
      expect(await text('#code-error')).to.include('does not match');
      await submit({ code: await generate({ secret }) });
      await at('account-backup-codes');
      await fits(page);
      expect(await page.locator('#codes li').count()).to.equal(10);
      const file = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download' }).click();
      expect((await file).suggestedFilename()).to.equal('sallyport-backup-codes.txt');
      await page.getByLabel('I have stored these codes').check();
      await submit({});
      await at('account-two-step');
      await fits(page);

      await addAuthenticator(page);
      await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Passkeys' }).click();
      await at('account-passkeys');
      await page.getByRole('link', { name: 'Add a passkey' }).click();
      await at('account-passkey-add');
      await fits(page);
      expect(await page.locator('.without-script').isVisible()).to.equal(false);
      await page.getByLabel('Name').fill('Work laptop');
      await page.getByRole('button', { name: 'Add a passkey' }).click();
      await page.getByText('The passkey is added.').waitFor();
      await at('account-passkeys');
      await fits(page);
      await page.getByRole('link', { name: 'Manage Work laptop' }).click();
      await at('account-passkey');
      await fits(page);
      await submit({ name: ' ' }, 'rename');
      await at('account-passkey');
      await submit({ name: 'Old laptop' }, 'rename');
      await at('account-passkeys');
      expect(await text('main h2')).to.equal('Old laptop');
      await goTo(page, '/account');
      await at('account-overview');
      await page.goBack();
      await page.getByRole('link', { name: 'Manage Old laptop' }).click();
      await submit({}, 'remove');
      await at('account-passkeys');
      expect(await text('main')).to.include('You have no passkey yet');
    });
    const { audit } = server.app.domains;
    const types = (await audit.list({ subject: person.account.id, limit: 100 })).map(({ type }) => type);
    for (const type of ['second_factor.enrolled', 'passkey.added', 'passkey.renamed', 'passkey.removed']) {
      expect(
        types.filter((other) => other === type),
        type,
      ).to.have.length(1);
    }
  });

  it('says what the first passkey changes, before and after, and leads to a spare way in', async () => {
    const person = await createPerson(server);
    await open(person, '/account/passkeys', async ({ page, at, submit, text }) => {
      await at('account-passkeys');
      expect(await text('main')).to.include('a sign-in with your password asks for it too');
      await addAuthenticator(page);
      await page.getByRole('link', { name: 'Add a passkey' }).click();
      await at('account-passkey-add');
      expect(await text('main')).to.include('a sign-in with your password asks for this passkey too');
      await page.getByRole('button', { name: 'Add a passkey' }).click();
      await page.getByText('From now on a sign-in with your password asks for it too.').waitFor();
      await at('account-passkeys');
      await fits(page);
      await goTo(page, '/account');
      expect(await text('.lead')).to.equal('One thing needs your attention.');
      expect(await text('main'))
        .to.include('5 of 6 in good order')
        .and.include('You have no backup codes');
      await goTo(page, '/account/passkeys');
      await page.getByRole('link', { name: 'Make backup codes' }).click();
      await at('account-backup-codes');
      await submit({}, 'renew');
      expect(await page.locator('#codes li').count()).to.equal(10);
      await goTo(page, '/account');
      expect(await text('.lead')).to.include('in good order');
      expect(await text('main')).to.include('6 of 6 in good order');
      await goTo(page, '/account/passkeys');
      expect(await page.getByRole('link', { name: 'Make backup codes' }).count()).to.equal(0);
    });
  });

  it('says on a phone where a page is, in the heading and to screen readers', async () => {
    await open(await createPerson(server), '/account/profile/email', async ({ page, at }) => {
      await at('account-email');
      const [way, here] = [page.locator('.crumbs'), page.locator('.crumbs [aria-current=page]')];
      expect((await here.boundingBox())?.width).to.be.above(50);
      await page.setViewportSize({ width: 390, height: 844 });
      expect((await page.locator('.crumbs li:last-child').boundingBox())?.width).to.equal(1);
      expect(await way.ariaSnapshot()).to.include(await here.innerText());
    });
  });

  it('changes a password with the keyboard alone, and says at the field what is wrong', async () => {
    const person = await createPerson(server);
    await open(person, '/account/password', async ({ page, at, text }) => {
      await at('account-password');
      await fits(page);
      await tabTo(page, '#current-password');
      await page.keyboard.type('not it at all');
      await tabTo(page, '#new-password');
      await page.keyboard.type('seven quiet lamps over water');
      await page.keyboard.press('Enter');
      await page.locator('#current-password-error').waitFor();
      await at('account-password');
      expect(await page.evaluate('document.activeElement.id')).to.equal('current-password');
      await page.keyboard.type(person.password);
      await tabTo(page, '#new-password');
      await page.keyboard.type('short');
      await page.keyboard.press('Enter');
      await page.locator('#new-password-error').waitFor();
      await at('account-password');
      expect(await text('#new-password-error')).to.include('15 characters');
      await tabTo(page, '#current-password');
      await page.keyboard.type(person.password);
      await tabTo(page, '#new-password');
      await page.keyboard.type('seven quiet lamps over water');
      await page.keyboard.press('Enter');
      await page.getByText('Your password is changed.').waitFor();
      await at('account-overview');
    });
  });

  it('shows what there is to manage, and what turning it off means', async () => {
    const person = await createPerson(server);
    const { credentials, devices } = server.app.domains;
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const [spent = '', ...others] = await credentials.backupCodes.create(person.account.id);
    for (const used of [spent, ...others.slice(0, 7)]) await credentials.backupCodes.use(person.account.id, used);
    const userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
    await devices.remember(person.account.id, 'aaaaaaaaaaaaaaaaaaaaaa', { userAgent, ip: '192.0.2.9' });
    await open(person, '/account', async ({ page, at, submit, text }) => {
      await at('totp');
      await submit({ code: await code() });
      await at('account-overview');
      expect(await text('main')).to.include('Only 2 backup codes are left');
      for (const [path, name] of [
        ['/account/two-step', 'account-two-step'],
        ['/account/two-step/remembered', 'account-remembered'],
        ['/account/two-step/backup-codes', 'account-backup-codes'],
        ['/account/two-step/authenticator', 'account-authenticator'],
        ['/account/two-step/off', 'account-two-step-off'],
        ['/account/passkeys', 'account-passkeys'],
      ] as const) {
        await goTo(page, path);
        await at(name);
        await fits(page);
      }
      await goTo(page, '/account/two-step/off');
      await submit({});
      await at('login');
    });
  });

  it('works without JavaScript, and says what a passkey needs', async () => {
    const person = await createPerson(server);
    await open(
      person,
      '/account/passkeys/add',
      async ({ page, at, submit }) => {
        // Without a script the pages on the way wait for a button.
        if (await page.locator('body[data-page="go-on"]').count()) await page.locator('button[type=submit]').click();
        await at('account-passkey-add');
        expect(await page.locator('.without-script').isVisible()).to.equal(true);
        expect(await page.locator('button[data-passkey]').isVisible()).to.equal(false);
        await goTo(page, '/account/password');
        await submit({ 'current-password': person.password, 'new-password': 'seven quiet lamps over water' });
        await at('account-overview');
        expect(await page.locator('[role=status].toast').innerText()).to.include('Your password is changed');
      },
      { javaScript: false },
    );
  });
});
