import { expect } from 'chai';
import type { BrowserContext, Page, Response } from 'playwright-core';
import { axe, browser } from './browser.ts';
import { type RunningApp, startApp } from './start-app.ts';

let started: Promise<RunningApp> | undefined;

/** The one server of all browser tests, started at the first call; they keep apart by their own people and apps. */
export function sharedServer(): Promise<RunningApp> {
  started ??= startApp();
  return started;
}

// Of the whole run: a module's top level is outside of every suite.
after(async () => {
  const server = await started?.catch(() => undefined);
  started = undefined;
  await server?.[Symbol.asyncDispose]();
});

export interface VisitOptions {
  readonly javaScript?: boolean;
  /** Origins that the browser may talk to beside the issuer. */
  readonly origins?: readonly string[];
  /** What the browser may complain about, because the test provokes it. */
  readonly expected?: RegExp;
}

/** Somebody in front of a browser of their own. */
export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Violations of the Content-Security-Policy so far. */
  readonly violations: string[];
  /** What stands at the selector, its white space folded. */
  text(selector: string): Promise<string>;
  /** Waits until the page is there, checks it, and returns it; `tab` is another tab of the same browser. */
  at(name: string, tab?: Page): Promise<Page>;
  /** Fills in fields by name, presses the button of that value, and returns the answer that redirects ended at. */
  submit(fields: Record<string, string>, action?: string, tab?: Page): Promise<Response>;
}

const seen = new Set<string>();

/** Looks at a page once per run in both themes; a page in an error is another one than the page without. */
async function inspect(page: Page, name: string): Promise<void> {
  const said = (await page.locator('h1, [role=alert]').allTextContents()).join(' ');
  // Whatever the name of the app and the time of day, it is the same page.
  const key = `${name}: ${await page.title()} ${said}`.replace(/App \w+|\d+/g, '…');
  if (seen.has(key)) return;
  seen.add(key);
  expect(await axe(page), `${key}, light`).to.deep.equal([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await axe(page, ['color-contrast', 'link-in-text-block']), `${key}, dark`).to.deep.equal([]);
  await page.emulateMedia({ colorScheme: 'light' });
  if (process.env.SHOTS) await takePictures(page, `${process.env.SHOTS}/${seen.size}-${name}`);
}

async function takePictures(page: Page, path: string): Promise<void> {
  const size = page.viewportSize() ?? { width: 1280, height: 800 };
  await page.screenshot({ path: `${path}-desktop.png`, fullPage: true, animations: 'disabled' });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: `${path}-phone.png`, fullPage: true, animations: 'disabled' });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}

/** A refusal of ours is an answer, and the console of Chromium calls each one an error. */
const isOurRefusal = /^Failed to load resource: the server responded with a status of 4\d\d/;

/**
 * Opens a browser, lets the visitor walk, and holds against every step of it: nothing in the console, no violation of
 * the Content-Security-Policy, no request to anybody but the issuer and the named origins.
 */
export async function visit(
  server: RunningApp,
  options: VisitOptions,
  walk: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  const javaScriptEnabled = options.javaScript ?? true;
  const context = await (await browser()).newContext({
    javaScriptEnabled,
    reducedMotion: 'reduce',
    colorScheme: 'light',
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
  });
  const complaints: string[] = [];
  const violations: string[] = [];
  const strangers = new Set<string>();
  const allowed = new Set([server.url, ...(options.origins ?? [])]);
  context.setDefaultTimeout(10_000);
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !isOurRefusal.test(message.text()))
      complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && !allowed.has(origin)) strangers.add(origin);
  });
  if (javaScriptEnabled) {
    await context.exposeBinding('sayViolation', (_source, text: string) => violations.push(text));
    await context.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
      sayViolation(event.effectiveDirective + ' ' + event.blockedURI));`);
  }
  const page = await context.newPage();

  const visitor: Visitor = {
    page,
    context,
    violations,
    text: async (selector) => ((await page.locator(selector).textContent()) ?? '').replace(/\s+/g, ' ').trim(),
    async at(name, tab = page) {
      await tab
        .locator(`body[data-page="${name}"]`)
        .waitFor({ state: 'attached' })
        .catch(async () => {
          const text = await tab.locator('main').allTextContents();
          throw new Error(`no page ${name}, but ${tab.url()}: ${text.join().replace(/\s+/g, ' ').slice(0, 600)}`);
        });
      if (javaScriptEnabled && tab.url().startsWith(server.url)) await inspect(tab, name);
      return tab;
    },
    async submit(fields, action = 'continue', tab = page) {
      for (const [name, value] of Object.entries(fields)) await tab.locator(`[name="${name}"]:visible`).fill(value);
      const loaded = tab.waitForNavigation({ waitUntil: 'load' });
      await tab.locator(`button[type=submit][name=action][value=${action}]:visible`).click();
      const answer = await loaded;
      if (!answer) throw new Error(`The form of ${tab.url()} led to another place on the same page.`);
      return answer;
    },
  };
  try {
    await walk(visitor);
    const unexpected = complaints.filter((text) => !options.expected?.test(text));
    expect(unexpected, 'what the browser complained about').to.deep.equal([]);
    if (!options.expected) expect(violations, 'violations of the Content-Security-Policy').to.deep.equal([]);
    expect([...strangers], 'other hosts').to.deep.equal([]);
  } finally {
    await context.close();
  }
}

/** Opens the first door. */
export async function enterPassword(
  { at, submit }: Visitor,
  person: { readonly login: string; readonly password: string },
  tab?: Page,
): Promise<Response> {
  await at('login', tab);
  return submit({ username: person.login, password: person.password }, 'continue', tab);
}

/** Presses the one button of the page on the way, which a script presses by itself where there is JavaScript. */
export async function goOn({ page, at }: Visitor): Promise<void> {
  await at('go-on');
  await page.locator('button[type=submit]').click();
}

/** Presses Tab until the element has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 25; presses += 1) {
    if (
      await page
        .locator(selector)
        .first()
        .evaluate((element) => element === element.ownerDocument.activeElement)
    )
      return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not reach ${selector}.`);
}
