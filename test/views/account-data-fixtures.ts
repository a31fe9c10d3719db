import { profileGroups } from '../../src/web/account-console/profile-fields.ts';
import type { ConsoleShell } from '../../src/web/console-models.ts';
import type { PageModels, PageName } from '../../src/web/page-models.ts';
import { scopeTexts } from '../../src/web/scope-texts.ts';
import type { Fixture } from './fixtures.ts';

const at = new Date('2026-11-21T08:42:10Z');
const email = 'mara@fernhill.example';
const longEmail = `mara.${'wilhelmina-'.repeat(6)}fernhill@${'department.'.repeat(4)}example`;
const longName = 'Donaudampfschifffahrtsgesellschaftskapitänsverwaltungsprogramm für Österreich und Umgebung';
const shell: ConsoleShell = {
  area: 'Account',
  home: '/account',
  who: { name: 'Mara Quill', initials: 'MQ' },
  groups: [
    {
      links: [
        { href: '/account', label: 'Overview', icon: 'home' },
        { href: '/account/profile', label: 'Profile', icon: 'person', current: true },
      ],
    },
    { label: 'Access', links: [{ href: '/account/apps', label: 'Connected apps', icon: 'apps' }] },
  ],
};

const fixture = <Name extends PageName>(
  id: string,
  page: Name,
  model: PageModels[Name],
  more: { dir?: 'rtl'; invalid?: true } = {},
): Fixture => ({ id, page, model, ...more }) as unknown as Fixture;

const scope = (name: string) => {
  const text = scopeTexts[name];
  if (!text) throw new Error(`No text for ${name}`);
  return text;
};

const values = {
  'profile.name': 'Mara Quill',
  'profile.zoneinfo': 'Europe/Berlin',
  'address.street_address': 'Gate 1\nBack yard',
  phoneNumber: '+4930123456',
};
const profile: PageModels['account-profile'] = {
  shell,
  version: 3,
  email,
  emailVerified: true,
  username: 'mara',
  groups: profileGroups(values),
};
const emailPage: PageModels['account-email'] = { shell, email, emailVerified: false };
const taken = 'Another account has this username.';

const session = (id: string, more: Partial<PageModels['account-sessions']['sessions'][number]> = {}) => ({
  id,
  name: 'Firefox on Linux',
  icon: 'device' as const,
  current: false,
  ip: '192.0.2.44',
  place: 'Gothenburg, Sweden',
  since: at,
  lastActive: at,
  activeNow: false,
  secondFactor: true,
  unusual: [],
  apps: ['Tidewater', 'Kiln CI'],
  ...more,
});
const sessions: PageModels['account-sessions'] = {
  shell,
  sessions: [
    session('ses_1', { current: true, activeNow: true }),
    session('ses_2', {
      name: 'Safari on iPhone',
      icon: 'phone',
      ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      secondFactor: false,
      unusual: ['from a place that is too far from the last one'],
      apps: [longName],
    }),
    session('ses_3', { name: 'Unknown browser', ip: undefined, place: undefined, apps: [] }),
  ],
  others: 2,
  remembered: [
    { id: 'dev_1', name: 'Firefox on Linux', icon: 'device', current: true, ip: '192.0.2.44', until: at, lastUsed: at },
    { id: 'dev_2', name: 'Safari on iPhone', icon: 'phone', current: false, until: at, lastUsed: at },
  ],
  remembers: true,
};

const apps: PageModels['account-apps']['apps'] = [
  {
    id: 'app_1',
    app: { name: 'Ledgerline Export', domain: 'ledgerline.example' },
    stopped: false,
    scopes: [scope('openid'), scope('profile'), { ...scope('email'), value: longEmail }, scope('offline_access')],
    apis: [{ name: 'Tidewater projects', scopes: [{ icon: 'document', text: 'Read your projects' }] }],
    allowedAt: at,
    lastUsed: at,
  },
  {
    id: 'app_2',
    app: { name: longName, domain: `${'long-subdomain.'.repeat(4)}example` },
    stopped: true,
    scopes: [],
    apis: [{ name: longName, scopes: [{ icon: 'document', text: 'Show it who you are' }] }],
    allowedAt: at,
  },
];

const activity: PageModels['account-activity'] = {
  shell,
  events: [
    {
      icon: 'device',
      text: 'Signed in for Tidewater',
      failed: false,
      device: 'Firefox on Linux',
      ip: '192.0.2.44',
      at,
    },
    { icon: 'alert', text: 'A backup code was used', failed: true, ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348', at },
    { icon: 'apps', text: `Access allowed to ${longName}`, failed: false, device: 'Safari on iPhone', at },
    { icon: 'person', text: 'Profile changed', failed: false, by: 'an administrator', at },
  ],
  older: '/account/activity?before=1-evt_1',
  paged: true,
};

const deletion: PageModels['account-delete'] = {
  shell,
  email,
  apps: 2,
  sessions: 3,
  purgesAt: at,
  deletionDays: 30,
};
const parts = [{ label: 'Profile', href: '/account/profile', text: 'Your names, address and phone number.' }];

/** The pages about a person's data, plain and in the states that change how they are built. */
export const accountDataFixtures: readonly Fixture[] = [
  fixture('account-profile', 'account-profile', profile),
  fixture('account-profile-done', 'account-profile', {
    ...profile,
    done: 'Your profile is saved.',
    username: undefined,
  }),
  fixture(
    'account-profile-error',
    'account-profile',
    {
      ...profile,
      groups: profileGroups(
        { ...values, 'profile.birthdate': '21.11.2000', phoneNumber: '030' },
        { errors: { 'profile.birthdate': 'Give YYYY-MM-DD.', phoneNumber: 'Give the number with its country code.' } },
      ),
    },
    { invalid: true },
  ),
  fixture(
    'account-profile-conflict',
    'account-profile',
    {
      ...profile,
      emailVerified: false,
      conflict: true,
      groups: profileGroups(values, { stored: { ...values, 'profile.name': longName, 'profile.zoneinfo': '' } }),
    },
    { invalid: true },
  ),
  fixture('account-profile-rtl', 'account-profile', profile, { dir: 'rtl' }),
  fixture('account-email', 'account-email', emailPage),
  fixture('account-email-sent', 'account-email', { ...emailPage, done: 'We sent a mail to the new address.' }),
  fixture(
    'account-email-error',
    'account-email',
    { ...emailPage, email: longEmail, emailVerified: true, typed: 'mara', error: 'Give a mail address.' },
    { invalid: true },
  ),
  fixture('account-username', 'account-username', { shell, username: 'mara' }),
  fixture('account-username-none', 'account-username', { shell, done: 'Your username is removed.' }),
  fixture(
    'account-username-error',
    'account-username',
    { shell, username: 'mara', typed: 'm'.repeat(64), error: taken },
    { invalid: true },
  ),
  fixture('account-sessions', 'account-sessions', sessions),
  fixture('account-sessions-empty', 'account-sessions', { ...sessions, sessions: [], others: 0, remembered: [] }),
  fixture('account-sessions-rtl', 'account-sessions', { ...sessions, done: 'Signed out.' }, { dir: 'rtl' }),
  fixture('account-sessions-end', 'account-sessions-end', { shell, session: sessions.sessions[1], others: 2 }),
  fixture('account-sessions-end-own', 'account-sessions-end', { shell, session: sessions.sessions[0], others: 2 }),
  fixture('account-sessions-end-others', 'account-sessions-end', { shell, others: 4 }),
  fixture('account-apps', 'account-apps', { shell, apps }),
  fixture('account-apps-empty', 'account-apps', { shell, apps: [] }),
  fixture('account-activity', 'account-activity', activity),
  fixture('account-activity-empty', 'account-activity', { shell, events: [], paged: false }),
  fixture('account-data', 'account-data', { shell, parts, deletionDays: 30 }),
  fixture('account-export', 'account-export', { shell, contents: ['Your account: names, addresses and roles.'] }),
  fixture('account-delete', 'account-delete', deletion),
  fixture(
    'account-delete-error',
    'account-delete',
    { ...deletion, email: longEmail, apps: 0, sessions: 1, deletionDays: 1, typed: 'x', error: 'Type your address.' },
    { invalid: true },
  ),
  fixture('account-deleted', 'account-deleted', { deletionDays: 30 }),
];
