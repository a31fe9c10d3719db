import { type CheckUpItem, checkUp, type SecurityState } from '../../account-settings/index.ts';
import type { AccountDoor } from '../account-models.ts';
import type { AccountPage } from './account-pages.ts';
import { rowOfItem } from './check-up-texts.ts';
import { dateOf, type SecuritySurface } from './security-surface.ts';

const good = { label: 'In good order', tone: 'ok' } as const;

function firstDoor({ factors, times, passkeys }: SecurityState, items: readonly CheckUpItem[]): AccountDoor {
  const needsChange = items.some(({ code, state }) => code === 'password' && state === 'advice');
  return {
    name: factors.password ? 'Password' : 'Passkey',
    state: needsChange ? { label: 'Needs a change', tone: 'warn' } : good,
    guarded: true,
    facts: [
      ...(factors.password ? [{ label: 'Password set', at: dateOf(times.password) }] : []),
      { label: 'Passkeys', value: passkeys.length === 0 ? 'None' : String(passkeys.length) },
    ],
    action: factors.password
      ? { href: '/account/password', label: 'Change password' }
      : { href: '/account/passkeys', label: 'Manage passkeys' },
  };
}

/** Without a spare way in, a lost phone or key shuts its person out, so the door is not in good order. */
function spareState(items: readonly CheckUpItem[]): AccountDoor['state'] {
  const codes = items.find((item) => item.code === 'backup-codes');
  if (codes?.state !== 'advice') return good;
  return { label: codes.left === 0 ? 'No backup codes' : 'Few backup codes', tone: 'warn' };
}

function secondDoor(
  { factors, times, secondFactor, passkeys }: SecurityState,
  items: readonly CheckUpItem[],
): AccountDoor {
  const { totp, backupCodes } = factors;
  const codes = { label: 'Backup codes', value: backupCodes === 0 ? 'None left' : `${backupCodes} left` };
  if (secondFactor && !totp) {
    return {
      name: passkeys.length > 0 ? 'Passkey' : 'Backup codes',
      state: spareState(items),
      guarded: true,
      facts: [
        { label: 'Passkeys', value: String(passkeys.length) },
        { ...codes, value: codes.value.replace(' left', '') },
      ],
      action: { href: '/account/two-step', label: 'Manage two-step verification' },
    };
  }
  return {
    name: totp ? 'Authenticator app' : 'Not set up',
    state: totp ? spareState(items) : { label: 'Open', tone: 'warn' },
    guarded: totp,
    facts: totp ? [{ label: 'Added', at: dateOf(times.totp) }, codes] : [{ label: 'Asks for', value: 'Nothing yet' }],
    action: totp
      ? { href: '/account/two-step', label: 'Manage two-step verification' }
      : { href: '/account/two-step/authenticator', label: 'Turn on two-step verification' },
  };
}

const numbers = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'];

/** Everything that the list below does not call good is counted here, or the two would seem to disagree. */
function leadOf(items: readonly CheckUpItem[]): string {
  const count = (wanted: CheckUpItem['state']): number => items.filter(({ state }) => state === wanted).length;
  const [open, offers] = [count('advice'), count('offer')];
  const things = (many: number): string => `${numbers[many] ?? many} thing${many === 1 ? '' : 's'}`;
  const safer = 'would make your account safer';
  if (open > 0) {
    const more = offers === 0 ? '' : `, and ${numbers[offers]?.toLowerCase() ?? offers} more ${safer}`;
    return `${things(open)} ${open === 1 ? 'needs' : 'need'} your attention${more}.`;
  }
  if (offers > 0) return `There is nothing that you have to do. ${things(offers)} ${safer}.`;
  return 'Your account is in good order. There is nothing that you have to do.';
}

/** The first page of the console: how the account is guarded, and what to do next. */
export const overviewPage = ({ settings, sessions, pages, clock }: SecuritySurface): AccountPage => ({
  path: '',
  notices: {
    password: 'Your password is changed. You stay signed in here; all other devices and apps are signed out.',
  },
  async show(ctx, { account, session, shell, done }) {
    const state = await settings.securityState(account);
    const currentDevice = (await sessions.findByUid(session.uid))?.deviceHash;
    const items = checkUp(state, { now: clock.now(), currentDevice });
    const fine = items.filter((item) => item.state === 'good').length;
    await pages.show(ctx, 'account-overview', {
      shell,
      done,
      name: account.profile.given_name ?? account.profile.name ?? account.username,
      lead: leadOf(items),
      doors: [firstDoor(state, items), secondDoor(state, items)],
      summary: `${fine} of ${items.length} in good order`,
      items: items.map(rowOfItem).map(({ action, ...row }, index) => ({
        ...row,
        // One thing is the next one.
        ...(action && { action: { ...action, primary: index === 0 && action.primary } }),
      })),
    });
  },
});
