import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { generate } from 'otplib';
import type { Locator, Page } from 'playwright-core';
import { create } from 'qrcode';
import { type OtherOriginApp, openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson, type Person } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { enterPassword, sharedServer, type Visitor, visit } from '../support/visitor.ts';

const codePattern = /^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/;

/** Looks at a QR code as a camera does, at its pixels: one row of dark (1) and light (0) modules per line. */
async function scan(picture: Locator, size: number): Promise<string> {
  const png = (await picture.screenshot({ animations: 'disabled' })).toString('base64');
  // Not on the page itself, whose policy lets no script of ours run.
  const table = await picture.page().context().newPage();
  try {
    return await table.evaluate(
      `(async () => {
        const image = await createImageBitmap(await (await fetch('data:image/png;base64,${png}')).blob());
        const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
        canvas.drawImage(image, 0, 0);
        const { data } = canvas.getImageData(0, 0, image.width, image.height);
        const step = image.width / ${size};
        const at = (index) => Math.floor((index + 0.5) * step);
        const module = (row, column) => (data[(at(row) * image.width + at(column)) * 4] < 128 ? '1' : '0');
        const line = (row) => Array.from({ length: ${size} }, (_, column) => module(row, column)).join('');
        return Array.from({ length: ${size} }, (_, row) => line(row)).join('\\n');
      })()`,
    );
  } finally {
    await table.close();
  }
}

function drawn(text: string): { readonly size: number; readonly lines: string } {
  const { size, data } = create(text, {}).modules;
  const bits = Array.from(data, (dark) => (dark ? '1' : '0')).join('');
  return { size, lines: bits.match(new RegExp(`.{${size}}`, 'g'))?.join('\n') ?? '' };
}

const listed = (page: Page): Promise<string[]> => page.locator('#codes li').allTextContents();

describe('setting up the second factor with a browser, on the way to an app', function () {
  this.timeout(60_000);
  let server: RunningApp;
  let app: OtherOriginApp;

  before(async () => {
    server = await sharedServer();
    app = await openOtherOriginApp(server, { firstParty: true });
  });
  after(() => app?.[Symbol.asyncDispose]());

  const open = async (visitor: Visitor): Promise<Person> => {
    const person = await createPerson(server);
    await visitor.page.goto(`${app.origin}/sign-in?acr_values=aal2`);
    await enterPassword(visitor, person);
    await visitor.at('enroll-totp');
    return person;
  };
  const visitApp = (walk: (visitor: Visitor) => Promise<void>, javaScript = true): Promise<void> =>
    visit(server, { origins: [app.origin], javaScript }, walk);

  /** Reads the key off the page and enters the code that an authenticator app makes of it. */
  const turnOn = async ({ page, at, submit, text }: Visitor): Promise<string[]> => {
    const secret = (await text('#key')).replace(/\s/g, '');
    await submit({ code: await generate({ secret }) });
    await at('backup-codes');
    return listed(page);
  };

  it('shows the same key as a picture, as a link and to be typed', async () => {
    await visitApp(async (visitor) => {
      const { page, text } = visitor;
      const person = await open(visitor);
      const uri = (await page.locator('a[href^="otpauth:"]').getAttribute('href')) ?? '';
      const { searchParams, pathname } = new URL(uri);
      expect(decodeURIComponent(pathname)).to.equal(`/Sallyport:${person.account.email}`);
      expect(searchParams.get('issuer')).to.equal('Sallyport');
      const typed = await text('#key');
      expect(typed.replace(/\s/g, '')).to.equal(searchParams.get('secret'));
      expect(typed.trim()).to.match(/^([A-Z2-7]{4}\s+){7}[A-Z2-7]{4}$/);
      const picture = page.locator('.qr svg');
      const { size, lines } = drawn(uri);
      expect(await scan(picture, size), 'light').to.equal(lines);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await scan(picture, size), 'dark').to.equal(lines);
      await page.reload();
      await visitor.at('enroll-totp');
      expect(await text('#key'), 'after a reload').to.equal(typed);
    });
  });

  it('keeps the key when the first code is wrong, and puts the keyboard into the field', async () => {
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await open(visitor);
      const key = await text('#key');
      expect((await submit({ code: '000000' })).status()).to.equal(422);
      await at('enroll-totp');
      expect(await page.title()).to.match(/^Error: /);
      expect(await page.evaluate('document.activeElement.id')).to.equal('code');
      expect(await text('#key')).to.equal(key);
    });
  });

  it('hands out ten codes to copy, download or print, then goes on to the app', async () => {
    await visitApp(async (visitor) => {
      const { page, context, at, submit } = visitor;
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
      await open(visitor);
      const codes = await turnOn(visitor);
      expect(codes).to.have.length(10);
      for (const code of codes) expect(code).to.match(codePattern);

      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByText('Copied').first().waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).to.equal(codes.join('\n'));

      const printed = page.evaluate('new Promise((resolve) => { globalThis.print = () => resolve(true); })');
      await page.getByRole('button', { name: 'Print' }).click();
      expect(await printed).to.equal(true);
      await page.emulateMedia({ media: 'print' });
      expect(await page.locator('#codes li').first().isVisible(), 'codes on paper').to.equal(true);
      expect(await page.locator('button:visible').count(), 'buttons on paper').to.equal(0);
      await page.emulateMedia({ media: 'screen' });

      expect(
        await page.locator('[name=stored]').evaluate((box: { validity: { valid: boolean } }) => box.validity.valid),
      ).to.equal(false);
      await page.locator('[name=stored]').check();
      await submit({});
      await at('app-in');
    });
    expect(app.answers.at(-1)?.claims?.acr).to.equal('aal2');
    expect(app.answers.at(-1)?.claims?.amr).to.have.members(['pwd', 'otp', 'mfa']);
  });

  for (const javaScript of [true, false]) {
    it(`saves the codes as a file ${javaScript ? 'with' : 'without'} JavaScript, and the page stays`, async () => {
      await visitApp(async (visitor) => {
        const { page, at, submit } = visitor;
        await open(visitor);
        const codes = await turnOn(visitor);
        const saving = page.waitForEvent('download');
        await page.locator('button[value=download]').click();
        const file = await saving;
        expect(file.suggestedFilename()).to.equal('sallyport-backup-codes.txt');
        const lines = readFileSync(await file.path(), 'utf8').split(/\r?\n/);
        expect(lines.filter((line) => codePattern.test(line))).to.deep.equal(codes);
        expect(await listed(page)).to.deep.equal(codes);
        await page.locator('[name=stored]').check();
        await submit({});
        await at('app-in');
      }, javaScript);
    });
  }

  it('shows the codes once; new ones are made when asked for, and then only those open the door', async () => {
    await visitApp(async (visitor) => {
      const { page, at, submit, context } = visitor;
      const person = await open(visitor);
      const first = await turnOn(visitor);
      await page.reload();
      await at('backup-codes');
      expect(await listed(page), 'after a reload').to.deep.equal([]);
      await submit({}, 'renew');
      await at('backup-codes');
      const second = await listed(page);
      expect(second).to.have.length(10);
      expect(second).to.not.include(first[0]);
      await page.locator('[name=stored]').check();
      await submit({});
      await at('app-in');

      await context.clearCookies();
      await page.goto(`${app.origin}/sign-in`);
      await enterPassword(visitor, person);
      await submit({}, 'backup-code');
      expect((await submit({ code: first[0] ?? '' })).status(), 'one of the first codes').to.equal(422);
      await submit({ code: second[0] ?? '' });
      await at('app-in');
    });
  });

  it('can be left for the app, which gets the answer "no"', async () => {
    await visitApp(async (visitor) => {
      await open(visitor);
      await visitor.submit({}, 'cancel');
      await visitor.at('app-refused');
    });
    expect(app.answers.at(-1)?.parameters.get('error')).to.equal('access_denied');
  });
});
