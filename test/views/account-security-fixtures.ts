import qrcode from 'qrcode';
import { checkUp, type SecurityState } from '../../src/account-settings/index.ts';
import { rowOfItem } from '../../src/web/account-console/check-up-texts.ts';
import type { ConsoleShell } from '../../src/web/console-models.ts';
import type { PageModels, PageName } from '../../src/web/page-models.ts';
import type { Fixture } from './fixtures.ts';

const at = new Date('2026-11-21T08:42:10Z');
const email = 'mara@fernhill.example';
const longName = `${'Donaudampfschifffahrtsgesellschafts'.repeat(2)}-${'x'.repeat(60)}`;
const shell: ConsoleShell = {
  area: 'Account',
  home: '/account',
  who: { name: 'Mara Quill', initials: 'MQ' },
  groups: [{ links: [{ href: '/account', label: 'Overview', icon: 'home', current: true }] }],
};
const key = 'K7QF2MXDZP4A6TJW3RHNC6VE5BKYD4GS';
const uri = `otpauth://totp/Sallyport:${encodeURIComponent(email)}?secret=${key}&issuer=Sallyport`;
const qrSvg = await qrcode.toString(uri, { type: 'svg', margin: 0 });

const fixture = <Name extends PageName>(
  id: string,
  page: Name,
  model: PageModels[Name],
  more: { dir?: 'rtl'; invalid?: true } = {},
): Fixture => ({ id, page, model, ...more }) as unknown as Fixture;

const neglected: SecurityState = {
  factors: { password: true, totp: true, backupCodes: 1 },
  secondFactor: true,
  times: { password: 0 },
  passkeys: [],
  passkeysUsable: true,
  mustChangePassword: false,
  passwordExpired: true,
  passwordIsShort: true,
  emailVerified: false,
  knownDevices: [
    { deviceHash: 'own', type: 'desktop', firstSeenAt: 0, lastSeenAt: at.getTime() },
    { deviceHash: 'new', type: 'mobile', browser: 'Safari', os: 'iPhone', firstSeenAt: at.getTime(), lastSeenAt: 0 },
  ],
  rememberedDevices: 2,
};
const overview: PageModels['account-overview'] = {
  shell,
  name: longName,
  lead: 'Four things need your attention.',
  doors: [
    {
      name: 'Password',
      state: { label: 'Needs a change', tone: 'warn' },
      guarded: true,
      facts: [
        { label: 'Password set', at },
        { label: 'Passkeys', value: 'None' },
      ],
      action: { href: '/account/password', label: 'Change password' },
    },
    {
      name: 'Authenticator app',
      state: { label: 'In good order', tone: 'ok' },
      guarded: true,
      facts: [{ label: 'Added' }, { label: 'Backup codes', value: '1 left' }],
      action: { href: '/account/two-step', label: 'Manage two-step verification' },
    },
  ],
  summary: '1 of 6 in good order',
  items: checkUp(neglected, { now: at.getTime(), currentDevice: 'own' }).map(rowOfItem),
};
const password: PageModels['account-password'] = {
  shell,
  login: 'mara',
  hasPassword: true,
  changedAt: at,
  rules: {
    minLength: 15,
    maxLength: 256,
    minScore: 3,
    classes: {},
    texts: ['Use 15 characters or more.', 'Your last 5 passwords cannot come back.'],
  },
  names: ['mara', email],
};
const twoStep: PageModels['account-two-step'] = {
  shell,
  isOn: true,
  authenticator: { addedAt: at },
  backupCodes: 2,
  fewBackupCodes: true,
  remembered: 2,
  passkeys: 0,
};
const off: PageModels['account-two-step-off'] = { shell, backupCodes: 7, demandedBy: [], passkeyRemains: false };
const passkey = {
  id: 'psk_1',
  name: longName,
  provider: 'Bitwarden',
  synced: true,
  backedUp: true,
  addedAt: at,
  usedAt: at,
};

/** The pages about how somebody signs in, in the states that change how they are built. */
export const accountSecurityFixtures: readonly Fixture[] = [
  fixture('account-overview', 'account-overview', overview),
  fixture('account-overview-done', 'account-overview', { ...overview, name: undefined, done: 'It is changed.' }),
  fixture('account-overview-rtl', 'account-overview', overview, { dir: 'rtl' }),
  fixture('account-password', 'account-password', password),
  fixture('account-password-first', 'account-password', { ...password, hasPassword: false, changedAt: undefined }),
  fixture('account-password-wrong', 'account-password', { ...password, currentError: 'mismatch' }, { invalid: true }),
  fixture('account-password-paused', 'account-password', { ...password, paused: { until: at } }, { invalid: true }),
  fixture(
    'account-password-weak',
    'account-password',
    { ...password, reasons: [{ text: 'Use 15 characters or more. This password has 5.' }, { text: 'Add a digit.' }] },
    { invalid: true },
  ),
  fixture('account-two-step', 'account-two-step', twoStep),
  fixture('account-two-step-none', 'account-two-step', {
    ...twoStep,
    isOn: false,
    authenticator: undefined,
    backupCodes: 0,
    remembered: undefined,
  }),
  fixture('account-two-step-passkey', 'account-two-step', {
    ...twoStep,
    authenticator: undefined,
    backupCodes: 0,
    passkeys: 2,
    remembered: 0,
  }),
  fixture('account-two-step-rtl', 'account-two-step', { ...twoStep, passkeys: 1, backupCodes: 9 }, { dir: 'rtl' }),
  fixture('account-authenticator', 'account-authenticator', { shell, who: email, key, uri, qrSvg, replaces: true }),
  fixture(
    'account-authenticator-expired',
    'account-authenticator',
    { shell, who: email, key, uri, qrSvg, replaces: false, error: 'expired' },
    { invalid: true },
  ),
  fixture('account-backup-codes', 'account-backup-codes', {
    shell,
    who: email,
    codes: Array.from({ length: 10 }, (_, index) => `4kqt-9mwr-${index}bnd-x2fh`),
    left: 10,
    first: true,
  }),
  fixture('account-backup-codes-new', 'account-backup-codes', { shell, who: email, codes: [], left: 1 }),
  fixture('account-two-step-off', 'account-two-step-off', { ...off, demandedBy: ['Vault & Co', longName, 'Kiln'] }),
  fixture('account-two-step-off-passkey', 'account-two-step-off', { ...off, passkeyRemains: true }),
  fixture('account-two-step-off-short', 'account-two-step-off', { ...off, needsLength: 15 }),
  fixture(
    'account-two-step-off-refused',
    'account-two-step-off',
    { ...off, needsLength: 15, refused: true },
    { invalid: true },
  ),
  fixture('account-remembered', 'account-remembered', {
    shell,
    devices: [
      { name: 'Firefox on Windows', ip: '2001:db8:1234:5678:9abc:def0:1234:5678', usedAt: at, until: at },
      { name: 'Unknown browser', usedAt: at, until: at },
    ],
  }),
  fixture('account-remembered-none', 'account-remembered', { shell, devices: [] }),
  fixture('account-passkeys', 'account-passkeys', {
    shell,
    usable: true,
    passkeys: [passkey, { ...passkey, id: 'psk_2', name: 'Blue phone', synced: false, usedAt: undefined }],
    full: false,
    done: 'The passkey is added.',
  }),
  fixture('account-passkeys-spare', 'account-passkeys', {
    shell,
    usable: true,
    passkeys: [passkey],
    full: false,
    needsBackupCodes: true,
    done: 'The passkey is added, and opens both doors at once. From now on a sign-in with your password asks for it too.',
  }),
  fixture('account-passkeys-none', 'account-passkeys', {
    shell,
    usable: true,
    passkeys: [],
    full: false,
    isFirstSecondStep: true,
  }),
  fixture('account-passkeys-full', 'account-passkeys', { shell, usable: true, passkeys: [passkey], full: true }),
  fixture('account-passkeys-unusable', 'account-passkeys', { shell, usable: false, passkeys: [], full: false }),
  fixture('account-passkey-add', 'account-passkey-add', { shell, isFirstSecondStep: true }),
  fixture('account-passkey', 'account-passkey', { shell, passkey }),
  fixture(
    'account-passkey-name',
    'account-passkey',
    { shell, passkey, name: '', nameError: 'A name has 1 to 60 characters.' },
    { invalid: true },
  ),
  fixture(
    'account-passkey-last',
    'account-passkey',
    { shell, passkey, problem: 'This passkey is the only way into your account.' },
    { invalid: true },
  ),
];
