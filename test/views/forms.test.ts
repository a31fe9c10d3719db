import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { browser } from '../support/browser.ts';
import { codes } from './fixtures.ts';
import { startPageServer } from './page-server.ts';

type PageServer = Awaited<ReturnType<typeof startPageServer>>;

const csrf = 'csrf-of-the-test';
const provider = { csrf, xsrf: 'provider-xsrf' };
const press = (value: string) => (page: Page) =>
  page.locator(`button[type=submit][name=action][value=${value}]`).click();
const enter = (field: string) => (page: Page) => page.locator(`[name=${field}]`).press('Enter');

interface Step {
  readonly at: string;
  readonly fill?: Record<string, string>;
  readonly check?: string;
  readonly act: (page: Page) => Promise<void>;
  readonly sends: Record<string, string>;
}

const login = { username: 'mara', password: 'amber otter "lantern" <42>&ü' };
const steps: readonly Step[] = [
  { at: 'login', fill: login, act: press('continue'), sends: { csrf, ...login, action: 'continue' } },
  {
    at: 'login',
    fill: login,
    check: 'remember',
    act: enter('password'),
    sends: { csrf, ...login, remember: 'yes', action: 'continue' },
  },
  { at: 'login', act: press('cancel'), sends: { csrf, username: '', password: '', action: 'cancel' } },
  { at: 'totp', fill: { code: '123 456' }, act: enter('code'), sends: { csrf, code: '123 456', action: 'continue' } },
  { at: 'totp', act: press('backup-code'), sends: { csrf, code: '', action: 'backup-code' } },
  { at: 'totp', act: press('restart'), sends: { csrf, code: '', action: 'restart' } },
  {
    at: 'backup-code',
    fill: { code: 'a1b2-c3' },
    act: enter('code'),
    sends: { csrf, code: 'a1b2-c3', action: 'continue' },
  },
  { at: 'backup-code', act: press('back'), sends: { csrf, code: '', action: 'back' } },
  {
    at: 'enroll-totp',
    fill: { code: '123456' },
    act: enter('code'),
    sends: { csrf, code: '123456', action: 'continue' },
  },
  { at: 'enroll-totp', act: press('cancel'), sends: { csrf, code: '', action: 'cancel' } },
  { at: 'backup-codes', check: 'stored', act: press('continue'), sends: { csrf, stored: 'yes', action: 'continue' } },
  { at: 'backup-codes', act: press('download'), sends: { csrf, codes: codes.join(' '), action: 'download' } },
  { at: 'consent', act: press('continue'), sends: { csrf, action: 'continue' } },
  { at: 'consent', act: press('deny'), sends: { csrf, action: 'deny' } },
  { at: 'consent', act: press('restart'), sends: { csrf, action: 'restart' } },
  { at: 'select-account', act: press('continue'), sends: { csrf, account: 'acc_1', action: 'continue' } },
  { at: 'select-account-one', act: press('continue'), sends: { csrf, account: 'acc_1', action: 'continue' } },
  { at: 'select-account', act: press('cancel'), sends: { csrf, account: 'acc_1', action: 'cancel' } },
  { at: 'logout', act: press('continue'), sends: { ...provider, logout: 'yes', action: 'continue' } },
  { at: 'logout', act: press('cancel'), sends: { ...provider, action: 'cancel' } },
  {
    at: 'device',
    fill: { user_code: 'wdjb-mjht' },
    act: enter('user_code'),
    sends: { ...provider, user_code: 'wdjb-mjht', action: 'continue' },
  },
  {
    at: 'device-confirm',
    act: press('continue'),
    sends: { ...provider, user_code: 'WDJB-MJHT', confirm: 'yes', action: 'continue' },
  },
  {
    at: 'device-confirm',
    act: press('deny'),
    sends: { ...provider, user_code: 'WDJB-MJHT', abort: 'yes', action: 'deny' },
  },
];

async function perform(page: Page, server: PageServer, step: Step): Promise<void> {
  await page.goto(`${server.origin}/${step.at}`);
  for (const [name, value] of Object.entries(step.fill ?? {})) await page.locator(`[name=${name}]`).fill(value);
  if (step.check) await page.locator(`[name=${step.check}]`).check();
  server.posted.length = 0;
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await step.act(page);
  await answered;
}

describe('forms of the hosted pages', () => {
  let server: PageServer;
  let plain: BrowserContext;
  let scripted: BrowserContext;
  let page: Page;

  before(async () => {
    server = await startPageServer();
    plain = await (await browser()).newContext({ javaScriptEnabled: false });
    scripted = await (await browser()).newContext({ locale: 'en-GB', timezoneId: 'Asia/Tokyo' });
    await scripted.grantPermissions(['clipboard-read', 'clipboard-write']);
  });

  after(async () => {
    await plain.close();
    await scripted.close();
    await server.close();
  });

  describe('without JavaScript', () => {
    before(async () => {
      page = await plain.newPage();
    });

    for (const step of steps) {
      it(`${step.at} sends ${step.sends.action}${step.check ? ` with ${step.check}` : ''}`, async () => {
        await perform(page, server, step);
        expect(server.posted).to.have.length(1);
        const sent = [...new URLSearchParams(server.posted[0])];
        expect(Object.fromEntries(sent)).to.deep.equal(step.sends);
        expect(sent, 'each field once').to.have.length(Object.keys(step.sends).length);
        expect(sent[0], 'the CSRF field comes first').to.deep.equal(['csrf', csrf]);
      });
    }

    it('shows no button that only a script could answer', async () => {
      for (const id of ['login', 'login-passkey', 'login-demo', 'enroll-totp', 'backup-codes', 'error']) {
        await page.goto(`${server.origin}/${id}`);
        expect(await page.locator('button[type=button]:visible').count(), id).to.equal(0);
      }
    });
  });

  describe('with JavaScript', () => {
    beforeEach(async () => {
      page = await scripted.newPage();
    });

    afterEach(async () => {
      await page.close();
    });

    it('shows the password on demand and hides it again before it is sent', async () => {
      await page.goto(`${server.origin}/login`);
      await page.locator('#username').fill('mara');
      await page.locator('#password').fill('amber');
      await page.getByRole('button', { name: 'Show password' }).click();
      expect(await page.locator('#password').getAttribute('type')).to.equal('text');
      await page.evaluate(`document.querySelector('form').addEventListener('submit', (event) => {
        event.preventDefault();
        globalThis.typeAtSubmit = document.querySelector('#password').type;
      })`);
      expect(await page.getByRole('button', { name: 'Hide password' }).textContent()).to.equal('Hide');
      await page.locator('#password').press('Enter');
      expect(await page.evaluate('typeAtSubmit')).to.equal('password');
      expect(await page.getByRole('button', { name: 'Show password' }).textContent()).to.equal('Show');
    });

    it('posts once when the button is pressed twice', async () => {
      await page.goto(`${server.origin}/totp`);
      await page.locator('#code').fill('123456');
      server.posted.length = 0;
      const release = server.hold();
      const pressed = page.waitForRequest(`${server.origin}/pressed`);
      await page.evaluate(`(() => {
        const press = () => document.querySelector('[value=continue]').click();
        press();
        setTimeout(press, 50);
        setTimeout(press, 100);
        setTimeout(() => { new Image().src = '/pressed'; }, 200);
      })()`);
      await pressed;
      release();
      await page.getByText('posted').waitFor();
      expect(server.posted).to.have.length(1);
    });

    it('leaves the page usable after a download', async () => {
      await page.goto(`${server.origin}/backup-codes`);
      const download = page.waitForEvent('download');
      await page.locator('[value=download]').click();
      expect((await download).suggestedFilename()).to.equal('backup-codes.txt');
      expect(await page.locator('[aria-busy]').count()).to.equal(0);
    });

    it('copies the setup key without its gaps and the backup codes line by line', async () => {
      await page.goto(`${server.origin}/enroll-totp`);
      await page.getByRole('button', { name: 'Copy setup key' }).click();
      await page.getByText('Copied').first().waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).to.equal('K7QF2MXDZP4A6TJW3RHNC6VE5BKYD4GS');
      await page.goto(`${server.origin}/backup-codes`);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByText('Copied').first().waitFor();
      const lines = ((await page.evaluate('navigator.clipboard.readText()')) as string).split('\n');
      expect(lines).to.have.length(10);
      expect(lines[3]).to.equal('4kqt-9mwr-3bnd-x2fh');
      await page.locator('[data-live]', { hasText: 'Copied' }).waitFor({ state: 'attached' });
    });

    it('says that Caps Lock is on', async () => {
      await page.goto(`${server.origin}/login`);
      const key = (capsLock: boolean) =>
        page.evaluate(`document.querySelector('#password').dispatchEvent(
          new KeyboardEvent('keydown', { key: 'a', modifierCapsLock: ${capsLock} }))`);
      await key(true);
      expect(await page.locator('[data-caps]').textContent()).to.equal('Caps Lock is on.');
      await key(false);
      expect(await page.locator('[data-caps]').textContent()).to.equal('');
    });

    it('fills in a demo account and shows times of this place', async () => {
      await page.goto(`${server.origin}/login-demo`);
      await page.getByRole('button', { name: 'Fill in bob' }).click();
      expect(await page.locator('#username').inputValue()).to.equal('bob');
      expect(await page.locator('#password').inputValue()).to.equal('quiet-heron-harbor-17');
      await page.goto(`${server.origin}/login-paused`);
      expect(await page.locator('time').textContent()).to.match(/^(17:42|5:42\sPM)$/);
    });
  });
});
