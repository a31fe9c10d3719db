import qrcode from 'qrcode';
import type { AppIdentity, PageModels, PageName } from '../../src/web/page-models.ts';
import { scopeTexts } from '../../src/web/scope-texts.ts';
import { accountDataFixtures } from './account-data-fixtures.ts';
import { accountSecurityFixtures } from './account-security-fixtures.ts';
import { entryFixtures } from './entry-fixtures.ts';
import { factorFixtures } from './factor-fixtures.ts';

/** One page in one state, as the tests open it at `/<id>`. */
export interface Fixture<Name extends PageName = PageName> {
  readonly id: string;
  readonly page: Name;
  readonly model: PageModels[Name];
  readonly dir?: 'rtl';
  /** Something is wrong and the page has to say so, in the title and to screen readers. */
  readonly invalid?: true;
}

const app: AppIdentity = { name: 'Tidewater', uri: 'https://tidewater.example/', domain: 'tidewater.example' };
const longApp: AppIdentity = {
  name: 'Donaudampfschifffahrtsgesellschaftskapitänsverwaltungsprogramm für Österreich und Umgebung',
  uri: `https://${'long-subdomain.'.repeat(4)}example/`,
  domain: `${'long-subdomain.'.repeat(4)}example`,
};
const who = 'mara@fernhill.example';
const longWho = `mara.${'wilhelmina-'.repeat(6)}fernhill@${'department.'.repeat(4)}example`;
const key = 'K7QF2MXDZP4A6TJW3RHNC6VE5BKYD4GS';
const uri = `otpauth://totp/Sallyport:mara%40fernhill.example?secret=${key}&issuer=Sallyport`;
const qrSvg = await qrcode.toString(uri, { type: 'svg', margin: 0 });
const at = new Date('2026-11-21T08:42:10Z');
const passed = {
  first: { state: 'open', label: 'Password' },
  second: { state: 'open', label: 'Authenticator app' },
} as const;
export const codes = Array.from({ length: 10 }, (_, index) => `4kqt-9mwr-${index}bnd-x2fh`);
const scope = (name: string) => {
  const text = scopeTexts[name];
  if (!text) throw new Error(`No text for ${name}`);
  return text;
};
const consent: PageModels['consent'] = {
  app: { name: 'Ledgerline Export', domain: 'ledgerline.example' },
  verified: false,
  scopes: [scope('openid'), scope('profile'), { ...scope('email'), value: who }],
  apis: [{ name: 'Tidewater projects', scopes: [{ icon: 'document', text: 'Read your projects', isNew: true }] }],
  offline: true,
  account: who,
  redirectDomain: 'ledgerline.example',
  doors: passed,
  policyUri: 'https://ledgerline.example/privacy',
  termsUri: 'https://ledgerline.example/terms',
  connectedAppsUrl: '/account/apps',
};
const device = { action: '/posted', xsrf: 'provider-xsrf' };

const fixture = <Name extends PageName>(
  id: string,
  page: Name,
  model: PageModels[Name],
  more: { dir?: 'rtl'; invalid?: true } = {},
): Fixture => ({ id, page, model, ...more }) as unknown as Fixture;

/** Every page, plain and in the states that change how it is built. */
export const fixtures: readonly Fixture[] = [
  ...entryFixtures,
  ...accountDataFixtures,
  ...accountSecurityFixtures,
  ...factorFixtures,
  fixture('login-mail', 'login', {
    app,
    passkeys: true,
    passkey: {},
    byMail: { href: '/sign-in/abc/email', kind: 'code' },
    recoverUrl: '/forgot',
    registerUrl: '/register',
  }),
  fixture('login', 'login', { app, recoverUrl: '/recover' }),
  fixture('login-error', 'login', { app, username: who, error: 'mismatch', remember: true }, { invalid: true }),
  fixture('login-paused', 'login', { app, username: who, error: 'paused', pausedUntil: at }, { invalid: true }),
  fixture('login-again', 'login', { app, username: who, again: who }),
  fixture('login-passkey', 'login', { app, passkeys: true, loginHint: who }),
  fixture('login-demo', 'login', {
    app,
    demo: {
      accounts: [
        { username: 'alice', password: 'amber-otter-lantern-42' },
        {
          username: 'bob',
          password: 'quiet-heron-harbor-17',
          note: 'With a second factor: npx sallyport users code bob',
        },
      ],
    },
  }),
  fixture('login-long', 'login', { app: longApp, username: longWho, error: 'mismatch' }, { invalid: true }),
  fixture('login-rtl', 'login', { app, username: who, error: 'mismatch' }, { dir: 'rtl', invalid: true }),
  fixture('totp', 'totp', { app, who, backupCodes: true }),
  fixture('totp-error', 'totp', { app, who, backupCodes: true, error: 'mismatch', attemptsLeft: 3 }, { invalid: true }),
  fixture('totp-paused', 'totp', { app, who, backupCodes: true, error: 'paused', pausedUntil: at }, { invalid: true }),
  fixture('totp-options', 'totp', { app, who, backupCodes: true, passkeys: true, trustDays: 30 }),
  fixture('totp-long', 'totp', { app: longApp, who: longWho, backupCodes: false }),
  fixture('totp-rtl', 'totp', { app, who, backupCodes: true }, { dir: 'rtl' }),
  fixture('backup-code', 'backup-code', { app, who, remaining: 7 }),
  fixture('backup-code-error', 'backup-code', { app, who, error: 'used', attemptsLeft: 1 }, { invalid: true }),
  fixture('backup-code-paused', 'backup-code', { app, who, error: 'paused' }, { invalid: true }),
  fixture('enroll-totp', 'enroll-totp', { app, who, qrSvg, key, uri }),
  fixture('enroll-totp-error', 'enroll-totp', { app, who, qrSvg, key, uri, error: 'mismatch' }, { invalid: true }),
  fixture('backup-codes', 'backup-codes', { app, who, codes }),
  fixture('backup-codes-again', 'backup-codes', { app, who, codes: [] }),
  fixture('backup-codes-error', 'backup-codes', { app, who, codes, error: 'not-stored' }, { invalid: true }),
  fixture('consent', 'consent', consent),
  fixture('consent-verified', 'consent', {
    ...consent,
    app,
    verified: true,
    apis: [],
    doors: undefined,
    redirectDomain: 'tidewater.example',
  }),
  fixture('consent-long', 'consent', {
    ...consent,
    app: longApp,
    account: longWho,
    redirectDomain: longApp.domain ?? '',
  }),
  fixture('consent-rtl', 'consent', consent, { dir: 'rtl' }),
  fixture('select-account', 'select-account', {
    app,
    accounts: [
      { id: 'acc_1', name: 'Mara Quill', detail: who },
      { id: 'acc_2', name: 'Fernhill Operations', detail: longWho },
    ],
  }),
  fixture('select-account-one', 'select-account', {
    app,
    accounts: [{ id: 'acc_1', name: 'Mara Quill', detail: who }],
  }),
  fixture('logout', 'logout', { app, who, logout: { ...device, stayName: app.name } }),
  fixture('logout-long', 'logout', { app: longApp, who: longWho, logout: { ...device, stayName: longApp.name } }),
  fixture('logout-plain', 'logout', { who, logout: device }),
  fixture('signed-out', 'signed-out', {
    app,
    apps: [
      { app, ended: true },
      { app: { name: 'Kiln CI' }, ended: true },
      { app: { name: 'Orbit Wiki' }, ended: false },
    ],
  }),
  fixture('signed-out-plain', 'signed-out', {}),
  fixture('signed-out-left', 'signed-out', { app, stillSignedIn: true }),
  fixture('error', 'error', {
    title: 'This sign-in has expired',
    message:
      'It was open for more than an hour, or was finished in another tab. Nothing is lost: start again from the app.',
    reference: 'req_01k9zt4q7m2xhvjc',
    time: at,
    app,
    retryUrl: '/again',
    developer: { error: 'invalid_request', description: 'interaction session not found', clientId: 'app_tidewater' },
  }),
  fixture('error-plain', 'error', {
    title: 'This page does not exist',
    message: 'The address may be mistyped.',
    reference: 'req_01k9zt4q7m2xhvjc',
    time: at,
  }),
  fixture('error-expired', 'error', {
    title: 'This has expired',
    message: 'It waited too long.',
    reference: 'req_01k9zt4q7m2xhvjc',
    time: at,
    status: 410,
  }),
  fixture('device', 'device', device),
  fixture('device-error', 'device', { ...device, userCode: 'WDJB-MJHX', error: 'unknown' }, { invalid: true }),
  fixture('device-refused', 'device', { ...device, error: 'refused' }),
  fixture('device-confirm', 'device-confirm', {
    ...device,
    userCode: 'WDJB-MJHT',
    app: { name: 'Lantern TV' },
    requestedFrom: '203.0.113.7',
    requestedAt: at,
  }),
  fixture('device-done', 'device-done', { app }),
  fixture('home', 'home', {
    who,
    links: [
      { href: '/account', label: 'Your account', hint: 'Profile, password, second factor', icon: 'person' },
      { href: 'http://localhost:3001/', label: 'Playground', hint: 'Sign in and look at the tokens', icon: 'key' },
    ],
  }),
  fixture('home-plain', 'home', { links: [] }),
  fixture('mail', 'mail', {
    messages: [
      { id: 'm1', to: who, subject: 'Confirm your email address', at },
      {
        id: 'm2',
        to: longWho,
        subject: 'Your password was changed a moment ago on a device that we have not seen before',
        at,
      },
    ],
  }),
  fixture('mail-empty', 'mail', { messages: [] }),
  fixture('mail-message', 'mail-message', {
    id: 'm1',
    from: 'Sallyport <no-reply@localhost>',
    to: who,
    subject: 'Confirm your email address',
    at,
    text: `Hello Mara,\n\nopen this link to confirm your address:\n\nhttp://localhost:3000/confirm?token=${'k7qf2mxd'.repeat(8)}\n\nIt works for one hour.\n`,
  }),
];
