import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { enterPassword, tabTo, type VisitOptions, type Visitor, visit } from '../support/visitor.ts';

const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1';

describe("the account console's pages about data, in a browser", function () {
  this.timeout(120_000);
  let server: RunningApp;

  before(async () => {
    server = await startApp({ SALLYPORT_REMEMBER_DEVICE_DAYS: '30', SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' });
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** Somebody with an app, another device that is signed in, and a remembered one. */
  async function createSettled(): Promise<Person> {
    const person = await createPerson(server);
    const { consents, devices, sessions } = server.app.domains;
    const { id } = person.account;
    const { client } = await createClient(server, {
      kind: 'web',
      name: 'Tidewater',
      metadata: { redirect_uris: ['https://tidewater.example/callback'] },
    });
    await consents.grant(id, client.id, { scopes: ['openid', 'email', 'offline_access'], claims: [], resources: {} });
    const meta = { userAgent: phone, ip: '198.51.100.7' };
    await sessions.open({ accountId: id, kind: 'api', amr: ['pwd'], lifeSeconds: 3600 }, meta);
    await devices.remember(id, 'A'.repeat(22), meta);
    return person;
  }
  const open = (person: Person, path: string, walk: (visitor: Visitor) => Promise<void>, options: VisitOptions = {}) =>
    visit(server, options, async (visitor) => {
      await visitor.page.goto(server.url + path);
      await enterPassword(visitor, person);
      await walk(visitor);
    });
  /** Nothing is cut off or scrolls sideways on a small phone. */
  const fits = async (page: Page): Promise<void> => {
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), `width of ${page.url()}`).to.equal(320);
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  const press = async (page: Page, name: string | RegExp): Promise<void> => {
    const loaded = page.waitForNavigation({ waitUntil: 'load' });
    await page.locator('main').getByRole('button', { name }).click();
    await loaded;
  };
  const follow = (page: Page, name: string | RegExp) =>
    page.locator('main').getByRole('link', { name }).first().click();

  it('lead a person through all of them, and each is whole and accessible in both themes', async () => {
    const person = await createSettled();
    await open(person, '/account/profile', async ({ page, at, text }) => {
      const look = async (name: string): Promise<void> => fits(await at(name));
      await look('account-profile');
      await page.getByLabel('Nickname').fill('Mo');
      await page.getByLabel('Date of birth').fill('21.11.2000');
      await press(page, 'Save profile');
      await look('account-profile');
      expect(await page.evaluate('document.activeElement.id'), 'the keyboard is at the field').to.equal(
        'profile-birthdate',
      );
      await page.getByLabel('Date of birth').fill('2000-11-21');
      await press(page, 'Save profile');
      expect(await text('.toast')).to.equal('Your profile is saved.');

      await follow(page, 'Change email address');
      await look('account-email');
      await page.getByLabel('New address').fill('mara');
      await press(page, 'Send the link');
      await look('account-email');
      await page.getByLabel('New address').fill(`next-${person.login}@people.example`);
      await press(page, 'Send the link');
      expect(await text('.toast')).to.include('until then nothing changes');

      await page.locator('#nav').getByRole('link', { name: 'Sessions and devices' }).click();
      await look('account-sessions');
      expect(await page.locator('main li').allInnerTexts()).to.have.length(3);
      expect(await text('main'))
        .to.include('This device')
        .and.include('Safari on iPhone')
        .and.include('198.51.100.7');
      await follow(page, 'End Safari on iPhone');
      await look('account-sessions-end');
      await press(page, 'End session');
      expect(await text('.toast')).to.include('signed out');
      await press(page, 'Forget Safari on iPhone');
      expect(await text('main'))
        .to.include('None is remembered')
        .and.not.include('Safari');

      await page.locator('#nav').getByRole('link', { name: 'Connected apps' }).click();
      await look('account-apps');
      await press(page, 'Remove access');
      await look('account-apps');
      expect(await text('main')).to.include('No app has access');

      await page.locator('#nav').getByRole('link', { name: 'Activity' }).click();
      await look('account-activity');
      const told = await page.locator('main li p:first-child').allInnerTexts();
      expect(told.slice(0, 4)).to.deep.equal([
        'Access of Tidewater removed',
        'Device not remembered any more',
        'A device was signed out',
        'Change of the email address started',
      ]);

      await page.locator('#nav').getByRole('link', { name: 'Your data' }).click();
      await look('account-data');
      await follow(page, 'Download your data');
      await look('account-export');
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download' }).click();
      const file = await readFile(await (await download).path(), 'utf8');
      expect(JSON.parse(file).account.claims).to.include({ nickname: 'Mo', birthdate: '2000-11-21' });
      expect(await page.locator('[aria-busy]').count(), 'the page can be used again').to.equal(0);

      await page.locator('#nav').getByRole('link', { name: 'Your data' }).click();
      await follow(page, 'Delete account');
      await look('account-delete');
      await page.getByLabel('Type your email address').fill('yes');
      await press(page, 'Delete account');
      await look('account-delete');
      await page.getByLabel('Type your email address').fill(person.account.email);
      await press(page, 'Delete account');
      await look('account-deleted');
      expect(new URL(page.url()).pathname).to.equal('/account/deleted');
    });
    expect((await server.app.domains.accounts.find(person.account.id))?.status).to.equal('deleted');
  });

  it('work without scripts', async () => {
    const person = await createSettled();
    await open(
      person,
      '/account/profile',
      async ({ page, text }) => {
        await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
        await press(page, 'Save profile');
        expect(await text('.toast')).to.equal('Your profile is saved.');
        await page.goto(`${server.url}/account/sessions`);
        await follow(page, 'End all others');
        await press(page, 'End all others');
        expect(await text('.toast')).to.include('All other devices are signed out');
        await page.goto(`${server.url}/account/apps`);
        await press(page, 'Remove access');
        await page.goto(`${server.url}/account/data/delete`);
        await page.getByLabel('Type your email address').fill(person.account.email);
        await press(page, 'Delete account');
        expect(await text('h1')).to.equal('Your account is deleted');
      },
      { javaScript: false },
    );
  });

  it('can be used with the keyboard alone', async () => {
    const person = await createSettled();
    await open(person, '/account/apps', async ({ page, at, text }) => {
      await at('account-apps');
      await tabTo(page, 'button[value=remove]');
      const loaded = page.waitForNavigation({ waitUntil: 'load' });
      await page.keyboard.press('Enter');
      await loaded;
      expect(await text('.toast')).to.include('no access any more');
    });
  });
});
