import type { CreationOptions, RequestOptions } from '../../src/passkeys/index.ts';
import type { AppIdentity, PageModels, PageName } from '../../src/web/page-models.ts';
import type { Fixture } from './fixtures.ts';

const app: AppIdentity = { name: 'Tidewater', uri: 'https://tidewater.example/', domain: 'tidewater.example' };
const longApp: AppIdentity = { name: 'Donaudampfschifffahrtsgesellschaftskapitänsverwaltungsprogramm' };
const who = 'mara@fernhill.example';
const longWho = `mara.${'wilhelmina-'.repeat(6)}fernhill@${'department.'.repeat(4)}example`;
const at = new Date('2026-11-21T08:42:10Z');
const challenge = 'q7w3e9r5t1y8u4i2o6p0a3s5';
const asked: RequestOptions = { challenge, rpId: 'localhost', userVerification: 'preferred', allowCredentials: [] };
const offered = {
  challenge,
  rp: { id: 'localhost', name: 'Sallyport' },
  user: { id: 'YWNj', name: who, displayName: who },
  pubKeyCredParams: [
    { type: 'public-key', alg: -7 },
    { type: 'public-key', alg: -257 },
  ],
} satisfies CreationOptions;
const others = [
  { action: 'backup-code', label: 'Use a backup code' },
  { action: 'email-code', label: 'Mail me a code' },
];
const rules: PageModels['change-password']['rules'] = {
  minLength: 15,
  maxLength: 256,
  minScore: 3,
  classes: {},
  texts: ['Use 15 characters or more.'],
};

const fixture = <Name extends PageName>(
  id: string,
  page: Name,
  model: PageModels[Name],
  more: { dir?: 'rtl'; invalid?: true } = {},
): Fixture => ({ id, page, model, ...more }) as unknown as Fixture;

const passkey = { options: asked };

/** The pages of the newer steps of a sign-in. */
export const factorFixtures: readonly Fixture[] = [
  fixture('passkey', 'passkey', { app, who, passkey, others, trustDays: 30 }),
  fixture('passkey-error', 'passkey', { app, who, passkey, others, error: 'mismatch' }, { invalid: true }),
  fixture('passkey-long', 'passkey', { app: longApp, who: longWho, passkey }, { dir: 'rtl' }),
  fixture('email-code', 'email-code', { app, who, trustDays: 30 }),
  fixture('email-code-error', 'email-code', { app, who, error: 'mismatch', attemptsLeft: 1 }, { invalid: true }),
  fixture('email-code-paused', 'email-code', { app, who, error: 'paused', pausedUntil: at }, { invalid: true }),
  fixture('email-code-again', 'email-code', { app: longApp, who: longWho, sentAgain: true, others }, { dir: 'rtl' }),
  fixture('email-code-limited', 'email-code', { app, who, limited: true }),
  fixture('email-sign-in', 'email-sign-in', { app, kind: 'code', state: 'ask' }),
  fixture(
    'email-sign-in-error',
    'email-sign-in',
    { app, kind: 'code', state: 'sent', login: who, error: 'mismatch' },
    { invalid: true },
  ),
  fixture('email-sign-in-used', 'email-sign-in', { app, kind: 'link', state: 'ask', error: 'used' }, { invalid: true }),
  fixture('email-sign-in-sent', 'email-sign-in', { app: longApp, kind: 'link', state: 'sent', login: longWho }),
  fixture('email-sign-in-link', 'email-sign-in', { app, kind: 'link', state: 'link', token: 'x'.repeat(43) }),
  fixture('unverified', 'unverified', { app, who }),
  fixture('unverified-sent', 'unverified', { app: longApp, who: longWho, sent: true }, { dir: 'rtl' }),
  fixture('change-password', 'change-password', { app, who, rules, names: ['mara', 'fernhill'] }),
  fixture(
    'change-password-error',
    'change-password',
    {
      app: longApp,
      who: longWho,
      rules,
      names: [],
      reasons: [{ text: 'Use 15 characters or more. This password has 5.' }],
    },
    { invalid: true },
  ),
  fixture('offer-passkey', 'offer-passkey', { app, who, options: offered }),
  fixture('offer-passkey-first', 'offer-passkey', { app, who, options: offered, isFirstSecondStep: true }),
  fixture(
    'offer-passkey-error',
    'offer-passkey',
    { app: longApp, who: longWho, options: offered, problem: 'That passkey could not be added.' },
    { invalid: true },
  ),
];
