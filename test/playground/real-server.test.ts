import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { type Playground, startPlayground } from '../../src/playground/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { axe, browser } from '../support/browser.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { viewsDir } from './playground-lane.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

describe('playground: the whole server, in a browser', () => {
  let server: RunningApp;
  let playground: Playground;
  let person: Person;
  let api: string;
  let chromium: Browser;

  before(async function prepare() {
    this.timeout(60_000);
    server = await startApp();
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    api = await createApi(server);
    const access = { [api]: ['notes:read'] };
    const { client } = await createClient(server, {
      kind: 'spa',
      metadata: { redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/`] },
      apis: access,
    });
    const machine = await createClient(server, { kind: 'machine', apis: access });
    const service = await createClient(server, { kind: 'service', mayIntrospect: true });
    person = await createPerson(server);
    playground = await startPlayground({
      issuer: server.url,
      port,
      host: '127.0.0.1',
      viewsDir,
      logger: silentLogger(),
      clients: {
        playground: { clientId: client.id },
        machine: { clientId: machine.client.id, clientSecret: machine.secret },
        introspection: { clientId: service.client.id, clientSecret: service.secret },
      },
      apis: [{ identifier: api, name: 'Notes', scopes: ['notes:read'] }],
    });
    chromium = await browser();
  });
  after(async () => {
    await playground?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  async function signIn(page: Page): Promise<void> {
    await page.getByRole('link', { name: 'Go and sign in' }).click();
    await page.fill('[name=username]', person.login);
    await page.fill('[name=password]', person.password);
    await page.click('[name=action][value=continue]');
    await page.waitForSelector('[data-page=consent], [data-page=playground-answer]');
    if (await page.locator('[data-page=consent]').count()) await page.click('[name=action][value=continue]');
    await page.waitForURL(`${playground.origin}/runs/*/answer`);
  }

  async function latest(page: Page): Promise<string> {
    return (await page.locator('section', { has: page.locator('#latest') }).textContent()) ?? '';
  }

  for (const javaScriptEnabled of [true, false]) {
    it(`signs in, uses the tokens and signs out ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async function flow() {
      this.timeout(60_000);
      const context = await chromium.newContext({ javaScriptEnabled, reducedMotion: 'reduce' });
      try {
        const page = await context.newPage();
        const faults: string[] = [];
        page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
        await page.goto(playground.origin);
        await button(page, 'Build the address').click();
        await signIn(page);
        await button(page, 'Exchange the code for tokens').click();
        expect(await page.locator('section', { has: page.locator('#id-token') }).textContent())
          .to.match(/Verified/)
          .and.include('"pwd"');
        await button(page, 'Ask UserInfo').click();
        expect(await latest(page)).to.include(`${person.login}@people.example`);
        await button(page, 'Introspect the access token').click();
        expect(await latest(page)).to.include('"active": true');
        await button(page, 'Refresh').click();
        expect(await latest(page)).to.include('There is a new refresh token too');
        await button(page, 'Revoke the refresh token').click();
        await button(page, 'Introspect the refresh token').click();
        expect(await latest(page)).to.include('"active": false');
        await button(page, 'Sign out at the server').click();
        await page.waitForSelector('[data-page=logout]');
        await page.click('button[name=action][value=continue]');
        await page.waitForURL(`${playground.origin}/?state=*`);
        expect(await page.locator('[role=status]').first().textContent()).to.include('Signed out at the server');
        expect(faults).to.deep.equal([]);
      } finally {
        await context.close();
      }
    });
  }

  it('gets an access token for an API, for a person and for a machine', async function flow() {
    this.timeout(60_000);
    const context = await chromium.newContext({ reducedMotion: 'reduce' });
    try {
      const page = await context.newPage();
      await page.goto(playground.origin);
      await page.fill('[name=resource]', api);
      await page.fill('[name=more_scopes]', 'notes:read');
      await page.getByText('More', { exact: true }).click();
      await page.check('[name=par]');
      await page.check('[name=dpop]');
      await button(page, 'Build the address').click();
      await signIn(page);
      await button(page, 'Exchange the code for tokens').click();
      const shown = page.locator('section', { has: page.locator('#access-token') });
      expect(await shown.textContent())
        .to.match(/Verified/)
        .and.include(api)
        .and.include('notes:read')
        .and.include('The key that its user has to prove (DPoP)');
      await button(page, 'Refresh').click();
      expect(await latest(page)).to.include('There is a new refresh token too');

      await page.goto(`${playground.origin}/machine`);
      await page.fill('[name=resource]', api);
      await page.fill('[name=scope]', 'notes:read');
      await button(page, 'Ask for a token').click();
      expect(await shown.textContent())
        .to.match(/Verified/)
        .and.include('The machine itself');
      await button(page, 'Introspect the access token').click();
      expect(await latest(page)).to.include('"active": true');
      await button(page, 'Revoke the access token').click();
      await button(page, 'Introspect the access token').click();
      expect(await latest(page)).to.include('"active": false');
    } finally {
      await context.close();
    }
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no accessibility faults, ${colorScheme}, on a phone`, async function check() {
      this.timeout(60_000);
      const context = await chromium.newContext({
        colorScheme,
        reducedMotion: 'reduce',
        viewport: { width: 360, height: 740 },
      });
      try {
        const page = await context.newPage();
        const faults: string[] = [];
        const look = async (): Promise<void> => {
          faults.push(...(await axe(page)));
          const wide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
          if (wide) faults.push(`${page.url()} scrolls sideways`);
        };
        await page.goto(playground.origin);
        await look();
        await page.getByText('More', { exact: true }).click();
        await page.fill('[name=claims]', 'nonsense');
        await button(page, 'Build the address').click();
        await look();
        await page.fill('[name=claims]', '');
        await page.check('[name=par]');
        await button(page, 'Build the address').click();
        await look();
        await signIn(page);
        await look();
        await button(page, 'Exchange the code for tokens').click();
        await look();
        for (const details of await page.locator('details summary').all()) await details.click();
        await look();
        await page.goto(`${playground.origin}/machine`);
        await look();
        await page.goto(`${playground.origin}/callback?state=unknown`);
        await look();
        expect(faults).to.deep.equal([]);
      } finally {
        await context.close();
      }
    });
  }
});
