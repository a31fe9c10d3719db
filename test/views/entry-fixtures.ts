import type { EntryPageModels, NewPassword } from '../../src/web/entry-models.ts';
import type { Fixture } from './fixtures.ts';

const email = 'mara@fernhill.example';
const longEmail = `mara.${'wilhelmina-'.repeat(5)}fernhill@${'department.'.repeat(4)}example`;
const token = 'k7qf2mxdzp4a6tjw3rhnc6ve5bkyd4gsk7qf2mxdzp4';
const home = { href: '/' };
const app = { href: '/sign-in/x', name: 'Tidewater' };
const longApp = { href: '/sign-in/x', name: 'Donaudampfschifffahrtsgesellschaftskapitänsverwaltungsprogramm' };
const rules: NewPassword['rules'] = {
  minLength: 15,
  maxLength: 256,
  minScore: 3,
  classes: {},
  texts: ['Use 15 characters or more. A few words that do not belong together are easy to remember.'],
};
const plain: NewPassword = { rules };
const refused: NewPassword = {
  rules,
  reasons: [{ code: 'too_short', text: 'Use 15 characters or more. This password has 5.' }],
};

type Name = keyof EntryPageModels;

const fixture = <Page extends Name>(
  id: string,
  page: Page,
  model: EntryPageModels[Page],
  more: { dir?: 'rtl'; invalid?: true } = {},
): Fixture => ({ id, page, model, ...more }) as unknown as Fixture;

const bad = { invalid: true } as const;
const removes = { authenticator: true, passkeys: true };

/** Every page around an account, plain and in the states that change how it is built. */
export const entryFixtures: readonly Fixture[] = [
  fixture('register', 'register', { state: 'open', next: app, newPassword: plain, signIn: 'uid' }),
  fixture('register-home', 'register', { state: 'open', next: home, newPassword: plain }),
  fixture(
    'register-problem',
    'register',
    { state: 'open', next: app, email: 'mara', problem: 'Give a mail address.', newPassword: plain },
    bad,
  ),
  fixture('register-weak', 'register', { state: 'open', next: longApp, email: longEmail, newPassword: refused }, bad),
  fixture('register-off', 'register', { state: 'off', next: app, newPassword: plain }),
  fixture('register-invite', 'register', { state: 'invite', next: home, newPassword: plain }),
  fixture(
    'register-rtl',
    'register',
    { state: 'open', next: app, email, newPassword: refused },
    { ...bad, dir: 'rtl' },
  ),
  fixture('invitation', 'invitation', { state: 'usable', next: home, token, email, newPassword: plain }),
  fixture(
    'invitation-weak',
    'invitation',
    { state: 'usable', next: home, token, email: longEmail, newPassword: refused },
    bad,
  ),
  fixture('invitation-over', 'invitation', { state: 'expired', next: home, newPassword: plain }),
  fixture('check-mail', 'check-mail', { state: 'registered', login: email, next: app }),
  fixture('check-mail-again', 'check-mail', { state: 'resent', login: longEmail, next: longApp }),
  fixture('check-mail-reset', 'check-mail', { state: 'reset', login: 'mara', next: home }),
  fixture('check-mail-plain', 'check-mail', { state: 'plain', next: app }),
  fixture('check-mail-missing', 'check-mail', { state: 'plain', next: app, error: 'missing' }, bad),
  fixture('verify-email', 'verify-email', { state: 'confirm', token, email, next: app }),
  fixture('verify-email-password', 'verify-email', { state: 'password', token, email: longEmail, next: app }),
  fixture(
    'verify-email-mismatch',
    'verify-email',
    { state: 'password', token, email, next: app, error: 'mismatch' },
    bad,
  ),
  fixture('verify-email-own', 'verify-email', { state: 'own', token, email, next: app, newPassword: plain }),
  fixture('verify-email-weak', 'verify-email', { state: 'own', token, email, next: app, newPassword: refused }, bad),
  fixture('verify-email-discard', 'verify-email', { state: 'discard', token, email, next: app }),
  fixture('verify-email-done', 'verify-email', { state: 'done', next: longApp, usernameTaken: true }),
  fixture('forgot-password', 'forgot-password', { next: app, signIn: 'uid' }),
  fixture('forgot-password-missing', 'forgot-password', { next: app, error: 'missing' }, bad),
  fixture('reset-password', 'reset-password', {
    state: 'usable',
    token,
    email,
    next: app,
    secondFactor: true,
    newPassword: plain,
  }),
  fixture(
    'reset-password-weak',
    'reset-password',
    { state: 'usable', token, email: longEmail, next: app, newPassword: refused },
    bad,
  ),
  fixture('reset-password-done', 'reset-password', { state: 'done', next: app, secondFactor: true }),
  fixture('confirm-email', 'confirm-email', { state: 'usable', token, email: longEmail, next: home }),
  fixture('confirm-email-done', 'confirm-email', { state: 'done', next: app }),
  fixture('confirm-email-taken', 'confirm-email', { state: 'taken', next: app }),
  fixture('recover', 'recover', {
    state: 'usable',
    token,
    email,
    next: app,
    lost: { password: false },
    removes,
    asksPassword: true,
  }),
  fixture(
    'recover-wrong',
    'recover',
    {
      state: 'usable',
      token,
      email,
      next: app,
      lost: { password: false },
      removes,
      asksPassword: true,
      error: 'mismatch',
      triesLeft: 1,
    },
    bad,
  ),
  fixture('recover-password', 'recover', {
    state: 'usable',
    token,
    email: longEmail,
    next: app,
    lost: { password: true },
    removes: { authenticator: false, passkeys: false },
    asksCode: true,
    newPassword: plain,
  }),
  fixture('recover-done', 'recover', { state: 'done', next: app, lost: { password: false }, removes }),
  fixture('verify-email-over', 'verify-email', { state: 'expired', next: home }),
  fixture('verify-email-cut', 'verify-email', { state: 'missing', next: home }),
  fixture('verify-email-gone', 'verify-email', { state: 'discarded', next: home }),
  fixture('reset-password-over', 'reset-password', { state: 'expired', next: home }),
  fixture('confirm-email-over', 'confirm-email', { state: 'expired', next: home }),
  fixture('recover-over', 'recover', { state: 'expired', next: home }),
];
