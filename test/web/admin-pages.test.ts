import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { newReference } from '../../src/shared/ids.ts';
import { axe, browser } from '../support/browser.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const day = 86_400_000;
const operator = { kind: 'operator' } as const;
const hostile = `"'><script>globalThis.hacked=1</script><img src=x onerror=hacked()>`;

/** A week of sign-ins, one bad day among them, and a row that a hostile name is in. */
async function fillLog({ app }: RunningApp, person: Person): Promise<void> {
  const now = Date.now();
  const rows = Array.from({ length: 7 }, (_, back) => back).flatMap((back) =>
    Array.from({ length: 20 + ((back * 13) % 50) }, (_, index) => {
      const failed = index % (back === 3 ? 2 : 9) === 0;
      return {
        id: newReference('evt'),
        at: new Date(now - back * day - index),
        type: failed ? 'sign_in.failed' : 'sign_in.succeeded',
        outcome: failed ? 'failure' : 'success',
        actor_kind: failed ? 'stranger' : 'account',
        actor_id: failed ? null : person.account.id,
        subject: index === 0 ? hostile : person.account.id,
        ip: '203.0.113.7',
      };
    }),
  );
  await app.database.sql.batchInsert('audit_event', rows, 200);
}

describe('consoles and docs in a browser', function () {
  this.timeout(120_000);
  let server: RunningApp;
  let admin: Person;
  let visitor: Person;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  before(async () => {
    server = await startApp();
    [admin, visitor] = [await createPerson(server), await createPerson(server)];
    await server.app.domains.accounts.update(admin.account.id, admin.account.version, { roles: ['admin'] }, operator);
    const metadata = { redirect_uris: ['https://app.example/cb'] };
    await createClient(server, { kind: 'web', name: hostile.slice(0, 60), firstParty: true, metadata });
    await createClient(server, {
      kind: 'spa',
      name: 'Donaudampfschifffahrtsgesellschaftskapitän',
      requireSecondFactor: true,
      metadata,
    });
    await fillLog(server, admin);
  });
  after(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    complaints = [];
    context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page = await context.newPage();
    await page.addInitScript(
      `globalThis.violations = []; addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));`,
    );
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(() => context.close());

  async function enter({ login, password }: Person): Promise<void> {
    await page.goto(`${server.url}/admin`);
    await page.fill('[name=username]', login);
    await page.fill('[name=password]', password);
    await page.click('button[value=continue]');
    await page.waitForURL('**/admin');
  }

  /** Whole, accessible in both themes, and nothing sideways at 320 px but code. */
  async function judge(name: string): Promise<void> {
    expect(await page.locator('body').getAttribute('data-page')).to.equal(name);
    expect(await page.locator('h1').count()).to.equal(1);
    await page.evaluate(`document.querySelectorAll('details').forEach((details) => { details.open = true; })`);
    expect(await axe(page), 'light').to.deep.equal([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await axe(page, ['color-contrast', 'link-in-text-block']), 'dark').to.deep.equal([]);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), 'width at 320 px').to.equal(320);
    const sideways = `[...document.querySelectorAll('main *')].filter((element) => {
      const box = element.getBoundingClientRect();
      return !element.closest('.vh, [hidden], pre, .chart, thead') && box.width > 1 && (box.left < -1 || box.right > 321);
    }).map((element) => element.outerHTML.slice(0, 120))`;
    expect(await page.evaluate(sideways), 'cut off at 320 px').to.deep.equal([]);
    expect(await axe(page), 'phone').to.deep.equal([]);
    expect(await page.evaluate('[globalThis.violations, globalThis.hacked]')).to.deep.equal([[], undefined]);
    expect(complaints).to.deep.equal([]);
  }

  it('show an administrator the overview, with the numbers of the log and not one tag of a stranger', async () => {
    await enter(admin);
    await judge('admin-overview');
    const text = await page.locator('main').textContent();
    expect(text).to.include('Mara Lindgren').and.include('203.0.113.7');
    expect(await page.locator('#keys').count()).to.equal(1);
    expect(await page.locator('section[aria-labelledby=keys] tbody tr').count()).to.equal(3);
    expect(await page.locator('section[aria-labelledby=apps] tbody tr').count()).to.equal(2);
    const tile = page.locator('.tile', { hasText: 'Apps' }).locator('b');
    expect(await tile.textContent()).to.equal('2');
    const table = await page.locator('section[aria-labelledby=sign-ins] tbody tr').allInnerTexts();
    expect(table).to.have.length(7);
    expect(table[3], 'the bad day').to.match(/\b30\b/);
    expect(await page.locator('figcaption').textContent()).to.include('30 failed tries');
  });

  it('show an administrator the sessions of somebody, and the audit log', async () => {
    await enter(admin);
    await page.goto(`${server.url}/admin/sessions?q=${admin.login}`);
    await judge('admin-sessions');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(`${server.url}/admin/audit?q=203.0.113.7`);
    await judge('admin-audit');
  });

  it('turn the others away with a way out', async () => {
    await enter(visitor);
    await judge('denied');
  });

  it('document the API for people', async () => {
    await page.goto(`${server.url}/api/docs`);
    await judge('api-docs');
  });

  it('have a menu on a phone that works by keyboard and closes after a jump', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${server.url}/api/docs`);
    const nav = page.locator('nav.sidenav');
    expect(await nav.isVisible()).to.equal(false);
    await page.locator('button.menu').focus();
    await page.keyboard.press('Enter');
    expect(await nav.isVisible()).to.equal(true);
    await nav.getByText('Get tokens').click();
    expect(await nav.isVisible()).to.equal(false);
    expect(new URL(page.url()).hash).to.equal('#gettokens');
  });

  it('work without scripts', async () => {
    await context.close();
    context = await (await browser()).newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    await enter(admin);
    expect(await page.locator('h1').textContent()).to.equal('Overview');
    await page.goto(`${server.url}/api/docs`);
    expect(await page.locator('[data-copy]').first().isVisible(), 'a button that could do nothing').to.equal(false);
    await page.locator('summary', { hasText: 'Fields' }).first().click();
    expect(await page.getByText('preferred_username').first().isVisible()).to.equal(true);
  });

  if (process.env.SHOTS) {
    it('take pictures', async () => {
      await enter(admin);
      for (const [size, viewport] of Object.entries({
        desktop: { width: 1280, height: 800 },
        phone: { width: 390, height: 844 },
      })) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          for (const [name, path] of [
            ['admin-overview', '/admin'],
            ['api-docs', '/api/docs'],
          ] as const) {
            await page.goto(server.url + path);
            await page.screenshot({ path: `${process.env.SHOTS}/${name}-${colorScheme}-${size}.png`, fullPage: true });
          }
        }
      }
    });
  }
});
