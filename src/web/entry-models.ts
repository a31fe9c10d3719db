import type { PasswordReason, PasswordRules } from '../credentials/index.ts';

/** Where a person goes on from a page beside the sign-in. */
export interface NextStop {
  /** A path of ours. */
  readonly href: string;
  /** The app whose sign-in waits; without one it is the front page. */
  readonly name?: string | undefined;
}

/** What a field for a new password is made of. */
export interface NewPassword {
  readonly rules: PasswordRules;
  /** Why the last one was not taken. */
  readonly reasons?: readonly PasswordReason[] | undefined;
}

/** What all of these pages have. */
interface EntryPage {
  readonly next: NextStop;
}

/** What the pages behind links in mails have. `missing`: the browser came without a token. */
interface LinkPage<State extends string> extends EntryPage {
  readonly state: State | 'expired' | 'missing';
  /** Goes into the form, so that two links in two tabs stay apart. */
  readonly token?: string | undefined;
  readonly email?: string | undefined;
}

export interface RegisterPage extends EntryPage {
  readonly state: 'open' | 'off' | 'invite';
  readonly newPassword: NewPassword;
  readonly email?: string | undefined;
  /** What is wrong with the address. */
  readonly problem?: string | undefined;
  /** The uid of the sign-in that waits. */
  readonly signIn?: string | undefined;
}

export interface InvitationPage extends LinkPage<'usable'> {
  readonly newPassword: NewPassword;
  readonly signIn?: string | undefined;
}

export interface CheckMailPage extends EntryPage {
  /** What the mail is about. `plain`: nothing was sent, the page asks for the address. */
  readonly state: 'registered' | 'resent' | 'reset' | 'plain';
  /** As it was typed. */
  readonly login?: string | undefined;
  readonly error?: 'missing' | undefined;
  readonly signIn?: string | undefined;
}

export interface VerifyEmailPage
  extends LinkPage<'confirm' | 'password' | 'own' | 'discard' | 'done' | 'discarded' | 'already'> {
  readonly error?: 'missing' | 'mismatch' | undefined;
  readonly newPassword?: NewPassword | undefined;
  readonly usernameTaken?: boolean | undefined;
}

export interface ForgotPasswordPage extends EntryPage {
  readonly error?: 'missing' | undefined;
  readonly signIn?: string | undefined;
}

export interface ResetPasswordPage extends LinkPage<'usable' | 'done'> {
  readonly secondFactor?: boolean | undefined;
  readonly newPassword?: NewPassword | undefined;
}

export type ConfirmEmailPage = LinkPage<'usable' | 'done' | 'already' | 'taken'>;

export interface RecoverPage extends LinkPage<'usable' | 'done'> {
  readonly lost?: { readonly password: boolean } | undefined;
  readonly removes?: { readonly authenticator: boolean; readonly passkeys: boolean } | undefined;
  readonly asksPassword?: boolean | undefined;
  readonly asksCode?: boolean | undefined;
  readonly newPassword?: NewPassword | undefined;
  readonly error?: 'missing' | 'mismatch' | undefined;
  readonly triesLeft?: number | undefined;
}

/** The pages around an account for people who are not signed in. */
export interface EntryPageModels {
  readonly register: RegisterPage;
  readonly invitation: InvitationPage;
  readonly 'check-mail': CheckMailPage;
  readonly 'verify-email': VerifyEmailPage;
  readonly 'forgot-password': ForgotPasswordPage;
  readonly 'reset-password': ResetPasswordPage;
  readonly 'confirm-email': ConfirmEmailPage;
  readonly recover: RecoverPage;
}
