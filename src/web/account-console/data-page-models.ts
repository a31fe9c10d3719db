import type { AccountPageModel } from '../account-models.ts';
import type { IconName } from '../icons.ts';

/** One field of a form of the console. */
export interface ConsoleField {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  /** What is stored by now, when that is something else than what the person typed over it. */
  readonly stored?: string | undefined;
  readonly kind?: 'text' | 'lines' | 'choice' | undefined;
  /** With `choice`; an empty one is put before them. */
  readonly choices?: readonly string[] | undefined;
  /** HTML attributes, by name. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

export interface AccountProfilePage extends AccountPageModel {
  readonly version: number;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly username?: string | undefined;
  /** Somebody else changed the account since the form was loaded; fields with `stored` differ. */
  readonly conflict?: boolean | undefined;
  readonly groups: readonly {
    readonly id: string;
    readonly title: string;
    readonly hint?: string | undefined;
    readonly fields: readonly ConsoleField[];
  }[];
}

export interface AccountEmailPage extends AccountPageModel {
  readonly email: string;
  readonly emailVerified: boolean;
  /** What was typed before an error. */
  readonly typed?: string | undefined;
  readonly error?: string | undefined;
}

export interface AccountUsernamePage extends AccountPageModel {
  readonly username?: string | undefined;
  /** What was typed before an error. */
  readonly typed?: string | undefined;
  readonly error?: string | undefined;
}

/** A browser or an app that is signed in, or a browser that is remembered. */
interface DeviceItem {
  readonly id: string;
  readonly name: string;
  readonly icon: IconName;
  /** The browser that looks at the page. */
  readonly current: boolean;
  readonly ip?: string | undefined;
}

export interface AccountSessionsPage extends AccountPageModel {
  readonly sessions: readonly (DeviceItem & {
    readonly place?: string | undefined;
    readonly since: Date;
    readonly lastActive: Date;
    readonly activeNow: boolean;
    readonly secondFactor: boolean;
    /** What looked strange about it. */
    readonly unusual: readonly string[];
    /** Apps that were used in it. */
    readonly apps: readonly string[];
  })[];
  readonly others: number;
  readonly remembered: readonly (DeviceItem & { readonly until: Date; readonly lastUsed: Date })[];
  /** Whether this installation remembers browsers at all. */
  readonly remembers: boolean;
}

export interface AccountSessionsEndPage extends AccountPageModel {
  /** The one to end; without it, all but this one. */
  readonly session?: AccountSessionsPage['sessions'][number] | undefined;
  readonly others: number;
}

/** One thing that an app may do. */
export interface AppRight {
  readonly icon: IconName;
  readonly text: string;
  /** What exactly is shown to it, for example the email address. */
  readonly value?: string | undefined;
}

export interface AccountAppsPage extends AccountPageModel {
  readonly apps: readonly {
    readonly id: string;
    /** It names itself, so nothing in it is trusted markup. */
    readonly app: { readonly name: string; readonly domain?: string | undefined; readonly logo?: string | undefined };
    /** It was removed or stopped by an administrator. */
    readonly stopped: boolean;
    readonly scopes: readonly AppRight[];
    readonly apis: readonly { readonly name: string; readonly scopes: readonly AppRight[] }[];
    readonly allowedAt: Date;
    readonly lastUsed?: Date | undefined;
  }[];
}

export interface AccountActivityPage extends AccountPageModel {
  readonly events: readonly {
    readonly icon: IconName;
    readonly text: string;
    /** It did not work out, and the text does not say so. */
    readonly failed: boolean;
    /** Who did it, when it was not the person. */
    readonly by?: string | undefined;
    readonly device?: string | undefined;
    readonly ip?: string | undefined;
    readonly at: Date;
  }[];
  /** Where older ones are. */
  readonly older?: string | undefined;
  /** Whether these are not the newest. */
  readonly paged: boolean;
}

export interface AccountDataPage extends AccountPageModel {
  readonly parts: readonly { readonly label: string; readonly href: string; readonly text: string }[];
  /** Days that a deleted account can be restored. */
  readonly deletionDays: number;
}

export interface AccountExportPage extends AccountPageModel {
  /** What is in the file, in words. */
  readonly contents: readonly string[];
}

export interface AccountDeletePage extends AccountPageModel {
  /** What has to be typed. */
  readonly email: string;
  readonly typed?: string | undefined;
  readonly error?: string | undefined;
  readonly apps: number;
  readonly sessions: number;
  /** When everything personal would be removed. */
  readonly purgesAt: Date;
  readonly deletionDays: number;
}

/** After the deletion; nobody is signed in. */
export interface AccountDeletedPage {
  readonly deletionDays: number;
}

/** The pages about a person's data, by name. */
export interface AccountDataPages {
  readonly 'account-profile': AccountProfilePage;
  readonly 'account-email': AccountEmailPage;
  readonly 'account-username': AccountUsernamePage;
  readonly 'account-sessions': AccountSessionsPage;
  readonly 'account-sessions-end': AccountSessionsEndPage;
  readonly 'account-apps': AccountAppsPage;
  readonly 'account-activity': AccountActivityPage;
  readonly 'account-data': AccountDataPage;
  readonly 'account-export': AccountExportPage;
  readonly 'account-delete': AccountDeletePage;
  readonly 'account-deleted': AccountDeletedPage;
}
