import type { Context } from 'koa';
import type { Visitor } from '../console/console-guard.ts';
import { personOf } from '../console/console-shell.ts';
import type { ConsoleShell } from '../console-models.ts';
import type { Form } from '../http/form.ts';
import type { IconName } from '../icons.ts';

/** A request for a page of the account console, by whoever is signed in. */
export interface AccountVisit extends Visitor {
  readonly shell: ConsoleShell;
  /** The page's own words for what the last post did; undefined when nothing was done. */
  readonly done: string | undefined;
}

/** One address of the account console. */
export interface AccountPage {
  /** Below `/account`, may have `:name` parts; empty for the overview. */
  readonly path: string;
  /** Whether it wants a recent sign-in: showing it one that leaves time to fill it in, posting to it one at all. */
  readonly fresh?: boolean;
  /** What {@link seeDone} may say here afterwards, by code: nothing of a request is ever repeated. */
  readonly notices?: Readonly<Record<string, string>>;
  /** Shows it; changes nothing. */
  show(ctx: Context, visit: AccountVisit): Promise<void>;
  /** Does what its form says; the form came from a page of ours. Ends with {@link seeDone}, or shows what is wrong. */
  submit?(ctx: Context, visit: AccountVisit, form: Form): Promise<void>;
}

/** Where the account console begins. */
export const accountHome = '/account';

interface Entry {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
}

/** The navigation, in its order; an entry is shown once there is a page at its path. */
export const accountNavigation: readonly { readonly label?: string; readonly entries: readonly Entry[] }[] = [
  {
    entries: [
      { path: '', label: 'Overview', icon: 'home' },
      { path: '/profile', label: 'Profile', icon: 'person' },
    ],
  },
  {
    label: 'Sign-in',
    entries: [
      { path: '/password', label: 'Password', icon: 'password' },
      { path: '/two-step', label: 'Two-step verification', icon: 'doors' },
      { path: '/passkeys', label: 'Passkeys', icon: 'key' },
    ],
  },
  {
    label: 'Access',
    entries: [
      { path: '/sessions', label: 'Sessions and devices', icon: 'device' },
      { path: '/apps', label: 'Connected apps', icon: 'apps' },
    ],
  },
  {
    label: 'Records',
    entries: [
      { path: '/activity', label: 'Activity', icon: 'clock' },
      { path: '/data', label: 'Your data', icon: 'document' },
    ],
  },
];

/** The top bar and navigation around the page at `path`; the entry that it is or lies below is marked. */
export function accountShell(visitor: Visitor, path: string, existing: ReadonlySet<string>): ConsoleShell {
  const groups = accountNavigation.map(({ label, entries }) => ({
    label,
    links: entries
      .filter((entry) => existing.has(entry.path))
      .map((entry) => ({
        href: `${accountHome}${entry.path}`,
        label: entry.label,
        icon: entry.icon,
        current: path === entry.path || (entry.path !== '' && path.startsWith(`${entry.path}/`)),
      })),
  }));
  return {
    area: 'Account',
    home: accountHome,
    who: personOf(visitor.account),
    groups: groups.filter(({ links }) => links.length > 0),
  };
}

/** Ends a post that worked: the page at `path` (below `/account`) says what its `notices` have for `code`. */
export function seeDone(ctx: Context, path: string, code: string): void {
  ctx.status = 303;
  ctx.set('location', `${accountHome}${path}?done=${encodeURIComponent(code)}`);
  ctx.body = '';
}
