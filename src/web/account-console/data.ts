import type { PageWriter } from '../page-writer.ts';
import { type AccountPage, accountHome } from './account-pages.ts';

interface Needs {
  readonly pages: PageWriter;
  /** Days that a deleted account can be restored. */
  readonly deletionDays: number;
}

/** Where everything that is stored about a person is shown, or reached. */
const parts = [
  { path: '/profile', label: 'Profile', text: 'Your names, address and phone number, and your email address.' },
  {
    path: '/sessions',
    label: 'Sessions and devices',
    text: 'Where you are signed in, and which browsers are remembered.',
  },
  { path: '/apps', label: 'Connected apps', text: 'What each app may see and do.' },
  { path: '/activity', label: 'Activity', text: 'What was done with your account, when and from where.' },
];

/** What is stored, where to see it, and the ways to take it along or away. */
export const createDataPage = ({ pages, deletionDays }: Needs): AccountPage => ({
  path: '/data',
  show: (ctx, { shell, done }) =>
    pages.show(ctx, 'account-data', {
      shell,
      done,
      parts: parts.map(({ path, ...part }) => ({ ...part, href: `${accountHome}${path}` })),
      deletionDays,
    }),
});
