import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { icon } from '../../src/web/icons.ts';
import type { PageModels } from '../../src/web/page-models.ts';
import { type Fixture, fixtures } from './fixtures.ts';
import { html, render } from './page-server.ts';

const viewsDir = resolve(import.meta.dirname, '../../views');
const context = { requestId: 'req_test', csrfToken: 'token' };
const hostile = `"'><script>globalThis.hacked=1</script><img src=x onerror=hacked()>&`;
/** Values that choose between texts of ours, or are markup of ours. */
const closed = new Set(['error', 'state', 'icon', 'qrSvg']);

function poison(value: unknown, key = '', parent = ''): unknown {
  if (typeof value === 'string') return closed.has(key) && parent !== 'developer' ? value : `${value}${hostile}`;
  if (Array.isArray(value)) return value.map((item) => poison(item, key, parent));
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poison(item, name, key)]));
}

const errorPage: PageModels['error'] = {
  title: 'Title',
  message: 'Message',
  reference: 'err_1',
  time: new Date('2026-11-21T08:42:10Z'),
};

describe('rendering', () => {
  it('escapes every value of every page', () => {
    for (const fixture of fixtures) {
      const page = html({ ...fixture, model: poison(fixture.model) } as Fixture);
      expect(page, fixture.id).not.to.include('<script>');
      expect(page, fixture.id).not.to.include('<img src=x');
      const wordless = ['device', 'home-plain', 'signed-out-plain', 'mail-empty', 'account-deleted'];
      // Nor does a link that does nothing say anything about whom it was for.
      if (!wordless.includes(fixture.id) && !/-(?:over|cut|gone)$/.test(fixture.id)) {
        expect(page, fixture.id).to.include('&lt;script&gt;globalThis.hacked=1');
      }
    }
  });

  it('leaves nobody on an error page, and asks for no report of what happens to everybody', () => {
    const draw = (more: Partial<PageModels['error']>): string => render('error', { ...errorPage, ...more }, context);
    const [front, report] = ['href="/">Go to the front page', 'If it happens again'];
    for (const status of [404, 405, 410, 429]) {
      expect(draw({ status }), String(status)).to.include(front).and.not.include(report);
    }
    expect(draw({ ordinary: true }))
      .to.include(front)
      .and.include('err_1')
      .and.not.include(report);
    for (const status of [400, 403, 500, 503]) expect(draw({ status })).to.include(front).and.include(report);
    const app = { name: 'Tidewater', uri: 'https://tidewater.example/' };
    expect(draw({ app })).to.include('href="https://tidewater.example/"').and.not.include(front);
  });

  it('prints unescaped only what is ours: the body, partials, icons and the QR code', () => {
    const frames = ['layout.ejs', join('playground', 'frame.ejs')];
    const files = readdirSync(viewsDir, { recursive: true, encoding: 'utf8' }).filter(
      // Mails have rules of their own: test/notifications/mail-templates.test.ts.
      (name) => name.endsWith('.ejs') && !name.startsWith('mail'),
    );
    expect(files.length).to.be.greaterThan(20);
    for (const file of files) {
      const source = readFileSync(join(viewsDir, file), 'utf8');
      const raw = [...source.matchAll(/<%-\s*([^(\s%]+)/g)].map((match) => match[1]);
      const allowed = ['include', 'icon'];
      if (frames.includes(file)) allowed.push('locals.body');
      const drawing = [join('sign-in', 'enroll-totp.ejs'), join('account', 'authenticator.ejs')];
      if (drawing.includes(file)) allowed.push('model.qrSvg');
      expect(allowed, file).to.include.members(raw);
      expect(source, file).not.to.match(
        /<script(?! type="module" src="<%= asset)|<style|\sstyle=|\son[a-z]+=|javascript:/i,
      );
      expect(source.includes('<html'), file).to.equal(frames.includes(file));
    }
  });

  it('links http(s) addresses and own paths only', () => {
    const targets = [
      'javascript:alert(1)',
      'data:text/html,x',
      '//evil.example/',
      '/\\evil.example',
      'https://',
      ' https://a.example',
      'vbscript:x',
      'JAVASCRIPT:x',
    ];
    for (const uri of targets) {
      const page = render('error', { ...errorPage, app: { name: 'App', uri } }, context);
      expect(page, uri).not.to.include('Back to');
    }
    expect(
      render('error', { ...errorPage, app: { name: 'App', uri: 'https://a.example/?x=1&y=2' } }, context),
    ).to.include('href="https://a.example/?x=1&amp;y=2"');
  });

  it('shows a logo that the policy will load, else the initial', () => {
    const page = (logo: string) => render('select-account', { app: { name: 'App', logo }, accounts: [] }, context);
    expect(page('data:image/png;base64,AAAA')).to.include(
      '<img class="app large" src="data:image/png;base64,AAAA" alt=""',
    );
    expect(page('/logos/1')).to.include('src="/logos/1"');
    for (const logo of ['https://tracker.example/x.png', 'data:text/html,x', '//x.example/x.png']) {
      expect(page(logo), logo).not.to.include('<img');
    }
  });

  it('puts the way back before the way that loses something', () => {
    for (const fixture of fixtures) {
      expect(html(fixture), fixture.id).not.to.match(
        /<button class="button danger[^>]*>[^<]*<\/button>\s*<a class="button/,
      );
    }
  });

  it('names passkeys at a pause only where the page offers them', () => {
    const model = { app: { name: 'App' }, error: 'paused', pausedUntil: errorPage.time } as const;
    const span = '</time><span hidden data-passkey>, or use a passkey</span>.';
    expect(render('login', { ...model, passkeys: true }, context)).to.include(span);
    expect(render('login', model, context))
      .to.include('</time>.')
      .and.not.include('passkey');
  });

  it('keeps template options out of reach of a model', () => {
    const settings = { 'view options': { outputFunctionName: 'x;throw 1;//', escapeFunction: 'x', client: true } };
    const model = { ...errorPage, settings, cache: false, escapeFn: () => 'raw', include: () => 'raw' };
    expect(render('error', model, context)).to.equal(render('error', errorPage, context));
  });

  it('throws for a page or icon that does not exist, and leaves out a CSRF field without a token', () => {
    expect(() => render('nothing' as 'error', errorPage, context)).to.throw();
    expect(() => icon('toString' as 'key')).to.throw(RangeError);
    expect(
      render('consent', fixtures.find(({ id }) => id === 'consent')?.model as PageModels['consent'], {
        requestId: 'r',
      }),
    ).not.to.include('name="csrf"');
  });

  it('offers nothing that is not there', () => {
    const app = { name: 'App' };
    const page = render('login', { app }, context);
    expect(page).not.to.match(/passkey|Forgot|Demo data/);
    expect(render('totp', { app, who: 'a', backupCodes: false }, context)).not.to.match(
      /passkey|backup-code|Trust this|Ask for a reset/,
    );
  });
});
