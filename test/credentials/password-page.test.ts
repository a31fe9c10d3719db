import { resolve } from 'node:path';
import { expect } from 'chai';
import ejs from 'ejs';
import Koa from 'koa';
import { createAssets } from '../../src/web/http/assets.ts';
import { securityHeadersOf } from '../../src/web/http/security-headers.ts';
import { axe, browser } from '../support/browser.ts';
import { freePort } from '../support/start-app.ts';
import { createPolicyFixture, nobody } from './password-fixture.ts';

const partial = resolve(import.meta.dirname, '../../views/partials/new-password.ejs');

/** The field as a page would show it. */
const render = (data: Record<string, unknown>): Promise<string> =>
  ejs.renderFile(
    partial,
    { site: { name: 'Sallyport' }, asset: (name: string) => `/assets/${name}`, icon: () => '', ...data },
    { strict: true, destructuredLocals: ['site', 'asset', 'icon'] },
  );

describe('the field for a new password', () => {
  it('says the rules before anything is typed and needs no script', async () => {
    const { policy } = await createPolicyFixture('pglite');
    const html = await render({ rules: await policy.rulesFor(false), names: ['mara@example.com', '"><b>'] });
    expect(html).to.match(/<input [^>]*id="new-password" name="new-password" type="password"/);
    expect(html).to.contain('autocomplete="new-password"').and.to.contain('minlength: 15; maxlength: 256');
    expect(html).not.to.match(/ maxlength=|<b>|style=|onpaste/);
    expect(html).to.match(/aria-describedby="new-password-hint"/);
    expect(html).to.match(/id="new-password-hint">Use 15 characters or more\./);
    expect(html).to.match(/<div class="row" hidden data-strength="new-password" data-least="15"/);
    const texts = /data-texts="([^"]*)"/.exec(html)?.[1]?.replaceAll('&#34;', '"').replaceAll('&lt;', '<');
    expect(JSON.parse(texts?.replaceAll('&gt;', '>') ?? '')).to.deep.include({
      names: ['Sallyport', 'mara@example.com', '"><b>'],
    });
  });

  it('gives all reasons of a refusal, tied to the field', async () => {
    const { policy } = await createPolicyFixture('pglite');
    const verdict = await policy.check('sunshine', nobody);
    const reasons = verdict.ok ? [] : verdict.reasons;
    expect(reasons.map(({ code }) => code)).to.deep.equal(['too_short', 'common']);
    const html = await render({ rules: await policy.rulesFor(false), reasons });
    expect(html).to.match(
      /id="new-password-error" role="alert">Use 15 characters or more\. This password has 8\. .* common/,
    );
    expect(html).to.contain('aria-invalid="true"').and.to.contain('aria-describedby="new-password-error"');
    expect(html).not.to.contain('new-password-hint');
  });

  it('tells the strength while it is typed, under the strict policy and without asking anybody', async () => {
    const { policy } = await createPolicyFixture('pglite');
    const assets = createAssets(resolve(partial, '../../assets'));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const field = await render({ asset: assets.url, rules: await policy.rulesFor(false), names: ['Mara Lindgren'] });
    const page = `<!doctype html><html lang="en"><title>New password</title>
      <link rel="stylesheet" href="${assets.url('sallyport.css')}"><script type="module" src="${assets.url('page.js')}"></script>
      <main><h1>New password</h1><p class="vh" role="status" data-live></p><form method="post">${field}</form></main></html>`;
    const app = new Koa().use(assets.middleware).use((ctx) => {
      ctx.set(securityHeadersOf('flow', { issuer, popups: false, metadataMaxAge: 300 }));
      ctx.body = page;
    });
    const server = app.listen(port, '127.0.0.1');
    const context = await (await browser()).newContext();
    try {
      const tab = await context.newPage();
      const troubles: string[] = [];
      tab.on('console', (message) => troubles.push(message.text()));
      tab.on('pageerror', (error) => troubles.push(error.message));
      await tab.goto(issuer);
      const asked: string[] = [];
      tab.on('request', (request) => asked.push(request.url()));
      const [input, text, meter] = [
        tab.locator('#new-password'),
        tab.locator('[data-strength-text]'),
        tab.locator('meter'),
      ];
      expect(await meter.isVisible()).to.equal(false);
      for (const [typed, says, level] of [
        ['quiet', 'Too short, 10 to go', 0],
        ['mara lindgren 1988', 'Strength: weak', 1],
        ['quiet green bicycle tower', 'Strength: strong', 4],
      ] as const) {
        await input.fill(typed);
        expect(await text.textContent()).to.equal(says);
        expect(await meter.evaluate((element) => (element as unknown as { value: number }).value), typed).to.equal(
          level,
        );
      }
      expect(await meter.isVisible()).to.equal(true);
      await tab.locator('[data-live]', { hasText: 'Strength: strong' }).waitFor({ state: 'attached' });
      expect(await axe(tab)).to.deep.equal([]);
      await input.fill('');
      expect(await meter.isVisible()).to.equal(false);
      expect(asked).to.deep.equal([]);
      expect(troubles).to.deep.equal([]);
      if (process.env.SHOT) {
        await input.fill('quiet green bicycle');
        await tab.screenshot({ path: process.env.SHOT });
      }
    } finally {
      await context.close();
      server.close();
    }
  });
});
