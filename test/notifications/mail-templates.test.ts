import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createMailRenderer } from '../../src/app/render-mail.ts';
import { describeDevice, deviceText } from '../../src/devices/index.ts';
import {
  caps,
  describeBrowser,
  type MailContent,
  type MailData,
  type MailTemplate,
} from '../../src/notifications/index.ts';
import { issuer, occasion, render, viewsDir } from './fixture.ts';

const expiresAt = occasion.at + 3_600_000;
const path = '/account/confirm?token=k7qf2mxd&x=%22';
const examples: { readonly [Template in MailTemplate]: readonly MailData[Template][] } = {
  'account-paused': [{ ...occasion, failures: 5, until: expiresAt }],
  'second-factor-enrolled': [occasion],
  'backup-code-used': [
    { ...occasion, left: 7 },
    { ...occasion, left: 1 },
    { ...occasion, left: 0 },
  ],
  'backup-codes-replaced': [occasion],
  'new-sign-in': [{ ...occasion, app: 'Tidewater' }],
  'verify-email': [{ path, expiresAt }],
  'reset-password': [{ ...occasion, path, expiresAt }],
  'registration-attempt': [occasion, { ...occasion, signInPath: '/account', resetPath: '/account/reset' }],
  'password-changed': [occasion, { ...occasion, resetPath: '/account/reset' }],
  'email-change-requested': [occasion, { ...occasion, resetPath: '/account/reset' }],
  'unusual-activity': [
    { ...occasion, signs: ['It came from a place.'], ended: false },
    { ...occasion, signs: ['It came from a place.'], ended: true, resetPath: '/account/reset' },
  ],
  'email-changed': [{ at: occasion.at }],
  'sign-in-code': [
    { ...occasion, code: '02719846', expiresAt },
    { ...occasion, code: '02719846', expiresAt, afterPassword: true },
  ],
  'sign-in-link': [{ ...occasion, path, expiresAt }],
  'change-email': [{ ...occasion, path, expiresAt }],
  invitation: [{ path, expiresAt }],
  'recovery-link': [{ path, expiresAt }],
  'account-recovered': [occasion],
  'second-factor-removed': [occasion],
  'passkey-added': [{ ...occasion, passkey: 'Phone' }, occasion],
  'passkey-removed': [{ ...occasion, passkey: 'Phone' }],
  'deletion-scheduled': [
    { ...occasion, deletesAt: expiresAt },
    { ...occasion, deletesAt: expiresAt, keepPath: '/account/keep' },
  ],
  'account-deleted': [occasion],
  'operator-alert': (['raised', 'resolved'] as const).map((kind) => ({
    at: occasion.at,
    rule: 'failed_sign_ins',
    kind,
    since: occasion.at - 600_000,
    summary: '312 sign-ins failed within 5 minutes; the limit is 200.',
  })),
};
const all = Object.entries(examples).flatMap(([template, list]) =>
  list.map((data, index) => ({ id: `${template} ${index}`, template: template as MailTemplate, data })),
);
const renderOne = ({ template, data }: (typeof all)[number], more: object = {}): MailContent =>
  render(template, { ...data, ...more } as never);

const wordsOf = (text: string): string => text.replaceAll(/[\s:]+/g, ' ').trim();
const textOf = (html: string): string =>
  html
    .replace(/[\s\S]*<body/, '<body')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&#34;', '"')
    .replaceAll('&amp;', '&');

describe('mail templates', () => {
  it('exist in both forms, one pair for each mail', () => {
    const files = readdirSync(join(viewsDir, 'mail')).filter((name) => name.endsWith('.ejs'));
    const wanted = ['layout', ...Object.keys(caps)].flatMap((name) => [`${name}.html.ejs`, `${name}.txt.ejs`]);
    expect(files.sort()).to.deep.equal(wanted.sort());
    expect(Object.keys(examples).sort()).to.deep.equal(Object.keys(caps).sort());
  });

  for (const example of all) {
    it(`${example.id} says the same as text and as HTML, and what to do`, () => {
      const { subject, text, html } = renderOne(example);
      expect(subject).to.match(/^[A-Z].{8,60}$/);
      expect(html).to.include(`<title>${subject}</title>`);
      const words = wordsOf(textOf(html));
      const [body = '', footer = ''] = text.split('\n-- \n');
      for (const line of [...body.split('\n'), ...footer.split('\n')]) {
        expect(words, 'in the HTML').to.include(
          wordsOf(line.replace(/^(?:Sign in|Set a new password|Keep the account): /, '')),
        );
      }
      expect(text).to.match(/If (?:it was not you|you did not (?:ask for|expect) it), /);
      expect(`${subject} ${text}`).not.to.match(/!|please|oops|sorry|undefined|null|NaN|\[object/i);
      expect(html).not.to.match(/undefined|NaN|\[object/);
    });
  }

  it('escapes every value, and keeps each on one line', () => {
    const hostile = `"'><script>hacked()</script><img src=x>\r\nBcc: all@x.example\r\n\u202e&`;
    for (const example of all) {
      const texts = { ip: hostile, browser: hostile, app: hostile, passkey: hostile, code: hostile };
      const more = { ...texts, timeZone: hostile, failures: hostile };
      const { subject, text, html } = renderOne(example, more);
      expect(subject, example.id).not.to.match(/[\p{Cc}\u202e]/u);
      expect(html, example.id).not.to.match(/<script|<img|\u202e/);
      expect(text, example.id).not.to.match(/^Bcc|\r|\u202e/m);
    }
    expect(renderOne(all[0]!, { ip: hostile }).html).to.include('&lt;script&gt;hacked()');
  });

  it('links to the issuer and to nowhere else', () => {
    const bad = [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example/',
      '\\\\evil.example',
      'javascript:alert(1)',
      'account',
      '',
      '/\t/evil.example/',
      '/\n/evil.example',
    ];
    for (const one of bad) {
      expect(() => render('verify-email', { path: one, expiresAt }), JSON.stringify(one)).to.throw('only link');
      expect(() => render('password-changed', { ...occasion, resetPath: one || 'x' }), one).to.throw('only link');
      for (const template of ['sign-in-link', 'change-email', 'invitation', 'recovery-link'] as const) {
        expect(() => render(template, { ...occasion, path: one, expiresAt }), one).to.throw('only link');
      }
      const closed = { ...occasion, deletesAt: expiresAt, keepPath: one || 'x' };
      expect(() => render('deletion-scheduled', closed), one).to.throw('only link');
    }
    for (const example of all) {
      const { text, html } = renderOne(example);
      for (const [, href = ''] of html.matchAll(/\shref="([^"]*)"/g))
        expect(href).to.match(/^https:\/\/id\.fernhill\.example\//);
      for (const [url] of text.matchAll(/[a-z]+:\/\/\S+/g)) expect(new URL(url).origin).to.equal(issuer);
      expect(html).not.to.match(/\ssrc=|url\(|@import|<link|<form|<script|\son[a-z]+=/i);
    }
    for (const template of ['verify-email', 'invitation', 'recovery-link'] as const) {
      expect(render(template, { path, expiresAt }).text, template).to.include(`${issuer}${path}\n`);
    }
    for (const template of ['reset-password', 'sign-in-link', 'change-email'] as const) {
      expect(render(template, { ...occasion, path, expiresAt }).text, template).to.include(`${issuer}${path}\n`);
    }
  });

  it('prints unescaped only parts of ours', () => {
    for (const file of readdirSync(join(viewsDir, 'mail'), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ejs')) continue;
      const source = readFileSync(join(viewsDir, 'mail', file), 'utf8');
      for (const [, raw = ''] of source.matchAll(/<%-\s*(.*?)\s*-?%>/g)) {
        expect(raw, file).to.match(/^(?:include\('parts\/[a-z]+\.(?:html|txt)\.ejs'|'\s+'$|locals\.body$)/);
      }
    }
  });

  it('shows times where the person is, and in UTC where that is unknown', () => {
    const text = (timeZone?: string): string =>
      render('account-paused', { ...occasion, timeZone, failures: 5, until: expiresAt }).text;
    expect(text('Europe/Berlin')).to.include('21 November 2026 at 10:42 CET');
    for (const zone of [undefined, 'Nowhere/Land', '', '<b>']) expect(text(zone)).to.include('at 09:42 UTC');
  });

  it('names whom to write to, and where the account is, when the installation has them', () => {
    const site = { name: 'Fernhill', issuer, supportEmail: 'help@fernhill.example', accountPath: '/account' };
    const own = createMailRenderer({ viewsDir, cache: false, site });
    for (const template of ['second-factor-enrolled', 'new-sign-in'] as const) {
      const { text, html } = own(template, occasion);
      expect(text).to.include('help@fernhill.example').and.to.include(`${issuer}/account`);
      expect(html).to.include(`href="${issuer}/account"`).and.to.include('Fernhill');
    }
    expect(render('new-sign-in', occasion).text).to.include('whoever runs id.fernhill.example');
  });

  it('has a code in one piece, and not where a locked screen shows it', () => {
    const { subject, text, html } = render('sign-in-code', { ...occasion, code: '02719846', expiresAt });
    expect(subject).not.to.match(/\d/);
    expect(text).to.match(/^02719846$/m);
    expect(html).to.include('>02719846<').and.not.include('href=');
  });

  it('shows what a passkey is called, and no more of it than fits', () => {
    const text = (passkey: string): string => render('passkey-added', { ...occasion, passkey }).text;
    expect(text('Phone')).to.include('Passkey: Phone');
    expect(text('🔑'.repeat(100))).to.match(/Passkey: (?:🔑){60}$/mu);
  });

  it('has no mail of another name', () => {
    for (const name of ['layout2', '../error', 'parts/text', 'toString', 'constructor']) {
      expect(() => render(name as 'email-changed', occasion), name).to.throw();
    }
  });

  it('names a browser in words of its own', () => {
    const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)';
    const named: readonly (readonly [string | undefined, string | undefined])[] = [
      [`${windows} Chrome/141.0.0.0 Safari/537.36`, 'Chrome on Windows'],
      [`${windows} Chrome/141.0.0.0 Safari/537.36 Edg/141.0`, 'Edge on Windows'],
      ['Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0', 'Firefox on Linux'],
      [
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15',
        'Safari on Mac',
      ],
      [
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605 Version/18.1 Mobile Safari/604',
        'Safari on iPhone',
      ],
      ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36', 'Chrome on Android'],
      ['curl/8.5.0', 'curl'],
      ['Click https://evil.example now', undefined],
      ['', undefined],
      [undefined, undefined],
    ];
    for (const [header, name] of named) {
      expect(describeBrowser(header), header).to.equal(name);
      expect(deviceText(describeDevice(header)), 'as the console calls it').to.equal(name);
    }
  });
});
