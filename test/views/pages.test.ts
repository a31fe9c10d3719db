import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { axe, bringAxe, browser } from '../support/browser.ts';
import { fixtures } from './fixtures.ts';
import { startPageServer } from './page-server.ts';

type PageServer = Awaited<ReturnType<typeof startPageServer>>;

// A hidden alert waits for what the script may have to say.
const factsOfPage = `({
  title: document.title,
  headings: document.querySelectorAll('h1').length,
  name: document.body.dataset.page,
  dir: document.documentElement.getAttribute('dir'),
  alerts: document.querySelectorAll('[role=alert]:not([hidden])').length,
})`;
const atFault = "document.activeElement.matches('[aria-invalid=true], [role=alert]')";

const violationsOf = (page: Page): Promise<string[]> => page.evaluate('globalThis.violations');

describe('hosted pages in a browser', () => {
  let server: PageServer;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  before(async () => {
    server = await startPageServer();
    context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 } });
    await context.addInitScript(`
      globalThis.violations = [];
      addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
    `);
    await bringAxe(context);
    page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  });

  after(async () => {
    await context.close();
    await server.close();
  });

  /** Asked from outside: a page's own way to ask again and again is `eval`, which our pages forbid. */
  async function untilTrue(expression: string): Promise<void> {
    for (const end = Date.now() + 10_000; Date.now() < end; await delay(20)) {
      if (await page.evaluate(expression)) return;
    }
    expect.fail(`never true: ${expression}`);
  }

  // The colours of a page are the same in all of its states, so two of them are looked at in the dark.
  const looks = new Map<string, number>();

  for (const { id, page: name, dir, invalid } of fixtures) {
    it(`${id} is whole, accessible and fits 320 px`, async () => {
      complaints = [];
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      const response = await page.goto(`${server.origin}/${id}`);
      expect(response?.status()).to.equal(200);
      // The browser gives the focus when it has drawn the page.
      if (invalid) await untilTrue(atFault);
      const { title, ...facts } = (await page.evaluate(factsOfPage)) as Record<string, unknown>;
      expect(title).to.match(invalid ? /^Error: .+ · Sallyport$/ : /^(?!Error).+ · Sallyport$/);
      expect(facts).to.deep.include({ headings: 1, name, dir: dir ?? 'ltr' });
      if (invalid) expect(facts).to.include({ alerts: 1 });
      expect(await axe(page), 'light').to.deep.equal([]);
      const look = (looks.get(name) ?? 0) + 1;
      looks.set(name, look);
      if (look <= 2 || invalid) {
        await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
        expect(await axe(page, ['color-contrast', 'link-in-text-block']), 'dark').to.deep.equal([]);
      }
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await page.evaluate('document.documentElement.scrollWidth'), 'width at 320 px').to.equal(320);
      const sideways = `[...document.querySelectorAll('main *, footer *')].filter((element) => {
        const box = element.getBoundingClientRect();
        return !element.closest('.vh, [hidden]') && box.width > 1 && (box.left < -1 || box.right > 321);
      }).map((element) => element.outerHTML.slice(0, 120))`;
      expect(await page.evaluate(sideways), 'cut off at 320 px').to.deep.equal([]);
      expect(await violationsOf(page)).to.deep.equal([]);
      expect(complaints).to.deep.equal([]);
    });
  }

  it('has a skip link that is the first stop of the keyboard and leads to the content', async () => {
    await page.goto(`${server.origin}/error`);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('Skip to content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent.trim()')).to.equal('Back to Tidewater');
  });

  if (process.env.SHOTS) {
    it('takes pictures', async function () {
      this.timeout(300_000);
      const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
      for (const [size, viewport] of Object.entries(sizes)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          for (const { id } of fixtures) {
            await page.goto(`${server.origin}/${id}`);
            const path = `${process.env.SHOTS}/${id}-${colorScheme}-${size}.png`;
            await page.screenshot({ path, fullPage: true, animations: 'disabled' });
          }
        }
      }
    });
  }
});
