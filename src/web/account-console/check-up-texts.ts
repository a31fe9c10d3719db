import type { CheckUpItem } from '../../account-settings/index.ts';
import { deviceText } from '../../devices/index.ts';
import type { AccountOverviewPage } from '../account-models.ts';

type Row = AccountOverviewPage['items'][number];
type Item<Code extends CheckUpItem['code']> = Extract<CheckUpItem, { code: Code }>;

const tones = { good: 'ok', offer: 'plain', advice: 'warn' } as const;
const to = (path: string, label: string, primary = false): Row['action'] => ({
  href: `/account${path}`,
  label,
  primary,
});

function passwordRow({ state, reason, changedAt }: Item<'password'>): Omit<Row, 'tone'> {
  const change = state === 'good' ? undefined : to('/password', 'Change password', state === 'advice');
  const at = changedAt === undefined ? undefined : new Date(changedAt);
  const texts = {
    none: { title: 'You sign in without a password', text: 'Nobody can guess or steal one.' },
    'must-change': { title: 'Choose a new password', text: 'Somebody else knows the one you have.' },
    expired: { title: 'Your password has expired', text: 'It is older than this service allows. It was set on', at },
    old: { title: 'Your password is old', text: 'Change it if you use it elsewhere too. It was set on', at },
    fine: { title: 'Your password is fine', text: 'It was set on', at },
  } as const;
  return { ...texts[reason], action: change };
}

function devicesRow({ unfamiliar }: Item<'devices'>): Omit<Row, 'tone'> {
  const [newest] = unfamiliar;
  if (!newest) return { title: 'Your devices look familiar', text: 'No browser is new to your account.' };
  const name = deviceText(newest) ?? 'An unknown browser';
  const others = unfamiliar.length - 1;
  const more = others === 0 ? '' : `, and ${others} more`;
  return {
    title: unfamiliar.length === 1 ? 'A browser is new' : `${unfamiliar.length} browsers are new`,
    text: `${name}${more}. If that was not you, end its session and change your password. First seen on`,
    at: new Date(newest.firstSeenAt),
    action: to('/sessions', 'Review devices'),
  };
}

const rows: { readonly [Code in CheckUpItem['code']]: (item: Item<Code>) => Omit<Row, 'tone'> } = {
  'second-factor': ({ state, by }) =>
    state === 'good'
      ? {
          title: 'Two-step verification is on',
          text: `After your password a sign-in asks for ${by === 'app' ? 'a code from your phone' : 'your passkey'}.`,
        }
      : {
          title: 'Turn on two-step verification',
          text: 'With a code from your phone, a stolen password is not enough.',
          action: to('/two-step/authenticator', 'Turn on', true),
        },
  'backup-codes': ({ state, left, without }) => {
    const text = `They open the second door when your ${without === 'app' ? 'phone' : 'passkey'} is not at hand.`;
    if (state === 'good') return { title: `You have ${left} backup codes left`, text };
    const action = to('/two-step/backup-codes', left === 0 ? 'Make backup codes' : 'Make new codes', true);
    if (left > 0) return { title: `Only ${left} backup code${left === 1 ? ' is' : 's are'} left`, text, action };
    const alone = 'Your passkey is your only second step. Without it, your password does not let you in.';
    const isAlone = state === 'advice' && without === 'passkey';
    return { title: 'You have no backup codes', text: isAlone ? alone : text, action };
  },
  password: passwordRow,
  email: ({ state }) =>
    state === 'good'
      ? { title: 'Your email address is confirmed', text: 'It is how you get back in, and where you hear of changes.' }
      : {
          title: 'Confirm your email address',
          text: 'Without it you cannot get back in when you forget your password.',
          action: to('/profile', 'Confirm'),
        },
  devices: devicesRow,
  passkey: ({ count }) =>
    count > 0
      ? {
          title: count === 1 ? 'You have a passkey' : `You have ${count} passkeys`,
          text: 'It opens both doors and cannot be phished.',
        }
      : {
          title: 'Add a passkey',
          text: 'It opens both doors with your fingerprint, face or PIN, and cannot be phished.',
          action: to('/passkeys/add', 'Add a passkey'),
        },
};

/** A point of the check-up in words. */
export const rowOfItem = (item: CheckUpItem): Row => ({
  ...(rows[item.code] as (item: CheckUpItem) => Omit<Row, 'tone'>)(item),
  tone: tones[item.state],
});
