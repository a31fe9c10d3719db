import type { PasswordReason, PasswordRules } from '../credentials/index.ts';
import type { CreationOptions } from '../passkeys/index.ts';
import type { ConsoleShell } from './console-models.ts';

/** What every page of the account console has. */
export interface AccountPageModel {
  readonly shell: ConsoleShell;
  /** What the last post did, in the page's own words. */
  readonly done?: string | undefined;
}

export interface AccountLink {
  readonly href: string;
  readonly label: string;
}

/** A door of the account as its overview draws it. */
export interface AccountDoor {
  readonly name: string;
  readonly state: { readonly label: string; readonly tone: 'ok' | 'warn' | 'plain' };
  /** Something has to be shown to pass it, whatever is to be done about it. */
  readonly guarded: boolean;
  readonly facts: readonly {
    readonly label: string;
    readonly value?: string | undefined;
    readonly at?: Date | undefined;
  }[];
  readonly action: AccountLink;
}

export interface AccountOverviewPage extends AccountPageModel {
  /** How the person is called; absent when only an address is known. */
  readonly name?: string | undefined;
  readonly lead: string;
  readonly doors: readonly [AccountDoor, AccountDoor];
  readonly summary: string;
  readonly items: readonly {
    readonly title: string;
    readonly text: string;
    /** A moment that the text ends with. */
    readonly at?: Date | undefined;
    readonly tone: 'ok' | 'warn' | 'plain';
    readonly action?: (AccountLink & { readonly primary?: boolean | undefined }) | undefined;
  }[];
}

export interface AccountPasswordPage extends AccountPageModel {
  /** For password managers. */
  readonly login: string;
  /** Without one the first is set, and no old one is asked for. */
  readonly hasPassword: boolean;
  readonly changedAt?: Date | undefined;
  readonly rules: PasswordRules;
  /** What it should not consist of. */
  readonly names: readonly string[];
  readonly currentError?: 'missing' | 'mismatch' | undefined;
  /** Wrong passwords were too many. */
  readonly paused?: { readonly until?: Date | undefined } | undefined;
  readonly reasons?: readonly Pick<PasswordReason, 'text'>[] | undefined;
}

export interface AccountTwoStepPage extends AccountPageModel {
  /** Absent while there is no authenticator app. */
  readonly authenticator?: { readonly addedAt?: Date | undefined } | undefined;
  /** Whether a sign-in with the password asks for something else too. */
  readonly isOn: boolean;
  readonly backupCodes: number;
  readonly fewBackupCodes: boolean;
  /** How many browsers skip the second factor for a while; absent where none may. */
  readonly remembered?: number | undefined;
  readonly passkeys: number;
}

export interface AccountAuthenticatorPage extends AccountPageModel {
  readonly who: string;
  /** SVG drawn by the server; printed as it is. */
  readonly qrSvg: string;
  /** Base32, ungrouped. */
  readonly key: string;
  readonly uri: string;
  readonly replaces: boolean;
  readonly error?: 'missing' | 'mismatch' | 'expired' | undefined;
}

export interface AccountBackupCodesPage extends AccountPageModel {
  readonly who: string;
  /** Shown now and never again; without any, new ones are offered. */
  readonly codes: readonly string[];
  readonly left: number;
  /** They come with an authenticator app that was turned on just now. */
  readonly first?: boolean | undefined;
}

export interface AccountTwoStepOffPage extends AccountPageModel {
  readonly backupCodes: number;
  /** Apps of this person that ask for two steps. */
  readonly demandedBy: readonly string[];
  /** A passkey is asked for instead. */
  readonly passkeyRemains: boolean;
  /** The password is too short to stand alone: how many characters it needs. */
  readonly needsLength?: number | undefined;
  /** It was tried all the same. */
  readonly refused?: boolean | undefined;
}

export interface AccountRememberedPage extends AccountPageModel {
  readonly devices: readonly {
    readonly name: string;
    readonly ip?: string | undefined;
    readonly usedAt: Date;
    readonly until: Date;
  }[];
}

export interface AccountPasskeyRow {
  readonly id: string;
  readonly name: string;
  readonly provider?: string | undefined;
  readonly synced: boolean;
  readonly backedUp: boolean;
  readonly addedAt: Date;
  readonly usedAt?: Date | undefined;
}

/** What a passkey changes for a sign-in with the password. */
export interface PasskeyEffect {
  /** A sign-in with the password asks for no second step now, and does with a passkey. */
  readonly isFirstSecondStep?: boolean | undefined;
}

export interface AccountPasskeysPage extends AccountPageModel, PasskeyEffect {
  readonly usable: boolean;
  readonly passkeys: readonly AccountPasskeyRow[];
  readonly full: boolean;
  /** There is no backup code for a day without them. */
  readonly needsBackupCodes?: boolean | undefined;
  /** For the browser; see views/partials/passkey.ejs. */
  readonly signals?: object | undefined;
}

export interface AccountPasskeyAddPage extends AccountPageModel, PasskeyEffect {
  readonly options?: CreationOptions | undefined;
  readonly name?: string | undefined;
  readonly nameError?: string | undefined;
  /** Why the last try came to nothing. */
  readonly problem?: string | undefined;
}

export interface AccountPasskeyPage extends AccountPageModel {
  readonly passkey: AccountPasskeyRow;
  /** What was typed before an error. */
  readonly name?: string | undefined;
  readonly nameError?: string | undefined;
  readonly problem?: string | undefined;
}

/** The pages about how a person signs in, by their names. */
export interface AccountSecurityPages {
  readonly 'account-overview': AccountOverviewPage;
  readonly 'account-password': AccountPasswordPage;
  readonly 'account-two-step': AccountTwoStepPage;
  readonly 'account-authenticator': AccountAuthenticatorPage;
  readonly 'account-backup-codes': AccountBackupCodesPage;
  readonly 'account-two-step-off': AccountTwoStepOffPage;
  readonly 'account-remembered': AccountRememberedPage;
  readonly 'account-passkeys': AccountPasskeysPage;
  readonly 'account-passkey-add': AccountPasskeyAddPage;
  readonly 'account-passkey': AccountPasskeyPage;
}
