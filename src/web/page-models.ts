import type { AccountDataPages } from './account-console/data-page-models.ts';
import type { AccountSecurityPages } from './account-models.ts';
import type { AdminAuditPage } from './admin-console/audit-page-model.ts';
import type { AdminSessionsPage } from './admin-console/sessions-page-model.ts';
import type { AppIdentity, CodeError } from './app-identity.ts';
import type { AdminOverviewPage, ApiDocsPage, DeniedPage } from './console-models.ts';
import type { EntryPageModels } from './entry-models.ts';
import type { FactorPages, PasskeyAsk, SecondDoorPage } from './factor-models.ts';
import type { IconName } from './icons.ts';

export type { AppIdentity, CodeError } from './app-identity.ts';

/** One door of the progress drawing; its label says what opens it. */
export interface Door {
  readonly state: 'ahead' | 'here' | 'open';
  readonly label: string;
}

/** The doors as they truly were: no second one when a password was enough. */
export interface Doors {
  readonly first: Door;
  readonly second?: Door | undefined;
}

export type LoginError =
  | 'missing'
  | 'mismatch'
  /** A passkey that is unknown, wrong, or whose account may not sign in. */
  | 'passkey'
  /** A passkey without the person behind it: their password has to come too. */
  | 'passkey-alone'
  | 'paused'
  | 'suspended'
  | 'busy'
  /** The second door waited too long. */
  | 'expired'
  /** Too many wrong codes ended the challenge. */
  | 'too-many-codes';

export interface LoginPage {
  readonly app: AppIdentity;
  /** Where the form goes; left out for the address of the page. */
  readonly action?: string | undefined;
  /** What was typed before an error. */
  readonly username?: string | undefined;
  /** `login_hint` of the request; fills the field when nothing was typed. */
  readonly loginHint?: string | undefined;
  readonly error?: LoginError | undefined;
  /** With `paused`: when the next try is allowed. */
  readonly pausedUntil?: Date | undefined;
  /** Who is signed in already, when the app asked to see the password again. */
  readonly again?: string | undefined;
  readonly remember?: boolean | undefined;
  readonly passkeys?: boolean | undefined;
  readonly passkey?: PasskeyAsk | undefined;
  /** Where a mail to sign in with is asked for, and what comes. */
  readonly byMail?: { readonly href: string; readonly kind: 'code' | 'link' } | undefined;
  readonly recoverUrl?: string | undefined;
  /** Where an account is made; left out when that is closed. */
  readonly registerUrl?: string | undefined;
  /** The door of an account that has only a password is left out when that is known. */
  readonly doors?: Doors | undefined;
  /** Development only: accounts of the demo data. */
  readonly demo?:
    | {
        readonly accounts: readonly {
          readonly username: string;
          readonly password: string;
          readonly note?: string | undefined;
        }[];
      }
    | undefined;
}

export interface TotpPage extends SecondDoorPage {
  readonly error?: CodeError | undefined;
  /** Whether the account has unused backup codes. */
  readonly backupCodes: boolean;
  readonly passkeys?: boolean | undefined;
  readonly passkey?: PasskeyAsk | undefined;
}

export interface BackupCodePage extends SecondDoorPage {
  readonly error?: CodeError | undefined;
  /** Unused codes of the account. */
  readonly remaining?: number | undefined;
  /** How the way back to the usual one is called; empty where there is none. */
  readonly back?: string | undefined;
}

export interface EnrollTotpPage {
  readonly app: AppIdentity;
  readonly who: string;
  /** SVG drawn by the server; printed as it is. */
  readonly qrSvg: string;
  /** Base32, ungrouped. */
  readonly key: string;
  /** The `otpauth:` URI of the QR code. */
  readonly uri: string;
  readonly error?: CodeError | undefined;
}

export interface BackupCodesPage {
  readonly app: AppIdentity;
  readonly who: string;
  /** Empty when they were shown before: the page then offers new ones. */
  readonly codes: readonly string[];
  /** "Continue" was pressed without the tick. */
  readonly error?: 'not-stored' | undefined;
  readonly doors?: Doors | undefined;
}

export interface ConsentScope {
  readonly icon: IconName;
  readonly text: string;
  /** What exactly is shown to the app, for example the email address. */
  readonly value?: string | undefined;
  /** Not granted to this app before, while others were. */
  readonly isNew?: boolean | undefined;
}

export interface ConsentPage {
  readonly app: AppIdentity;
  /** Whether an administrator registered the app. */
  readonly verified: boolean;
  readonly scopes: readonly ConsentScope[];
  readonly apis: readonly { readonly name: string; readonly scopes: readonly ConsentScope[] }[];
  readonly offline: boolean;
  /** The account as its owner knows it: username or email. */
  readonly account: string;
  /** Where the browser goes next; absent when a device waits for the answer. */
  readonly redirectDomain?: string | undefined;
  readonly doors?: Doors | undefined;
  readonly policyUri?: string | undefined;
  readonly termsUri?: string | undefined;
  /** Where access can be removed later. */
  readonly connectedAppsUrl?: string | undefined;
}

export interface SelectAccountPage {
  readonly app: AppIdentity;
  /** The first one is chosen beforehand. */
  readonly accounts: readonly { readonly id: string; readonly name: string; readonly detail?: string | undefined }[];
}

export interface LogoutPage {
  readonly app?: AppIdentity | undefined;
  readonly who?: string | undefined;
  readonly logout: {
    readonly action: string;
    readonly xsrf: string;
    /** The app that alone is left when the person stays signed in here; without it staying is a link home. */
    readonly stayName?: string | undefined;
  };
}

export interface SignedOutPage {
  readonly app?: AppIdentity | undefined;
  /** The person left the app only; this browser is still signed in. */
  readonly stillSignedIn?: boolean | undefined;
  readonly apps?: readonly { readonly app: AppIdentity; readonly ended: boolean }[] | undefined;
}

export interface ErrorPage {
  readonly title: string;
  readonly message: string;
  readonly reference: string;
  readonly time: Date;
  readonly status?: number | undefined;
  /** It happens to everybody: nobody has to look into it. */
  readonly ordinary?: boolean | undefined;
  readonly app?: AppIdentity | undefined;
  /** Where trying again makes sense; a path of ours. */
  readonly retryUrl?: string | undefined;
  readonly developer?:
    | { readonly error: string; readonly description?: string | undefined; readonly clientId?: string | undefined }
    | undefined;
}

export interface DevicePage {
  readonly action: string;
  readonly xsrf: string;
  readonly userCode?: string | undefined;
  readonly error?: 'missing' | 'unknown' | 'expired' | 'used' | 'refused' | 'failed' | undefined;
}

export interface DeviceConfirmPage {
  readonly action: string;
  readonly xsrf: string;
  /** As the device shows it. */
  readonly userCode: string;
  readonly app: AppIdentity;
  /** Address that the device asked from. */
  readonly requestedFrom?: string | undefined;
  readonly requestedAt?: Date | undefined;
}

/** A page that a script leaves at once by posting its form. */
export interface GoOnPage {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface DeviceDonePage {
  readonly app: AppIdentity;
}

export interface HomePage {
  readonly who?: string | undefined;
  readonly links: readonly {
    readonly href: string;
    readonly label: string;
    readonly hint?: string | undefined;
    readonly icon: IconName;
  }[];
}

export interface MailSummary {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly at: Date;
  /** What became of it, when it is not simply there. */
  readonly note?: string | undefined;
}

export interface MailPage {
  readonly messages: readonly MailSummary[];
}

export interface MailMessagePage extends MailSummary {
  readonly from: string;
  readonly text: string;
  /** Where the same mail is as HTML. */
  readonly htmlUrl?: string | undefined;
}

/** Every page and what it is made of. Optional values may be absent or undefined. */
export interface PageModels extends AccountSecurityPages, AccountDataPages, EntryPageModels, FactorPages {
  readonly login: LoginPage;
  readonly totp: TotpPage;
  readonly 'backup-code': BackupCodePage;
  readonly 'enroll-totp': EnrollTotpPage;
  readonly 'backup-codes': BackupCodesPage;
  readonly consent: ConsentPage;
  readonly 'select-account': SelectAccountPage;
  readonly logout: LogoutPage;
  readonly 'signed-out': SignedOutPage;
  readonly error: ErrorPage;
  readonly device: DevicePage;
  readonly 'device-confirm': DeviceConfirmPage;
  readonly 'device-done': DeviceDonePage;
  readonly 'go-on': GoOnPage;
  readonly home: HomePage;
  readonly mail: MailPage;
  readonly 'mail-message': MailMessagePage;
  readonly denied: DeniedPage;
  readonly 'admin-overview': AdminOverviewPage;
  readonly 'admin-audit': AdminAuditPage;
  readonly 'admin-sessions': AdminSessionsPage;
  readonly 'api-docs': ApiDocsPage;
}

export type PageName = keyof PageModels;
