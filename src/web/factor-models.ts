import type { PasswordReason, PasswordRules } from '../credentials/index.ts';
import type { CreationOptions, RequestOptions, UnknownSignal } from '../passkeys/index.ts';
import type { AppIdentity, CodeError } from './app-identity.ts';

/** A passkey button of views/partials/passkey.ejs. */
export interface PasskeyAsk {
  /** Left out, or over at once, the script fetches them from `fresh` when it needs them. */
  readonly options?: RequestOptions | { readonly challenge: ''; readonly timeout: 0 } | undefined;
  /** Path that answers with new options. */
  readonly fresh?: string | undefined;
  /** After a refusal: a passkey that the browser may forget. */
  readonly signals?: UnknownSignal | undefined;
}

/** What every page of the second door may offer. */
export interface SecondDoorPage {
  readonly app: AppIdentity;
  readonly who: string;
  readonly pausedUntil?: Date | undefined;
  readonly attemptsLeft?: number | undefined;
  /** What opened the first door; the password where it is left out. */
  readonly firstDoor?: string | undefined;
  /** Days that the browser may be remembered; the page does not ask without. */
  readonly trustDays?: number | undefined;
  /** Other ways through. */
  readonly others?: readonly { readonly action: string; readonly label: string }[] | undefined;
}

export interface PasskeyPage extends SecondDoorPage {
  readonly passkey: PasskeyAsk;
  readonly error?: 'mismatch' | undefined;
}

export interface EmailCodePage extends SecondDoorPage {
  readonly error?: CodeError | undefined;
  /** A code was mailed just now because the button was pressed. */
  readonly sentAgain?: boolean | undefined;
  /** No more codes are mailed for a while. */
  readonly limited?: boolean | undefined;
}

/** Signing in with a mailed code or link in the place of the password. */
export interface EmailSignInPage {
  readonly app: AppIdentity;
  readonly kind: 'code' | 'link';
  /** `ask`: for a name. `sent`: a mail is on its way, if there is such an account. `link`: a link was opened. */
  readonly state: 'ask' | 'sent' | 'link';
  readonly login?: string | undefined;
  readonly token?: string | undefined;
  readonly error?: 'missing' | 'mismatch' | 'used' | 'limited' | undefined;
}

export interface UnverifiedPage {
  readonly app: AppIdentity;
  readonly who: string;
  readonly sent?: boolean | undefined;
}

export interface ChangePasswordPage {
  readonly app: AppIdentity;
  readonly who: string;
  readonly rules: PasswordRules;
  /** What it should not consist of. */
  readonly names: readonly string[];
  readonly reasons?: readonly Pick<PasswordReason, 'text'>[] | undefined;
}

export interface OfferPasskeyPage {
  readonly app: AppIdentity;
  readonly who: string;
  readonly options: CreationOptions;
  /** A sign-in with the password asks for no second step now, and does with a passkey. */
  readonly isFirstSecondStep?: boolean | undefined;
  /** Why the last try came to nothing. */
  readonly problem?: string | undefined;
}

/** The pages of these steps, by their names. */
export interface FactorPages {
  readonly passkey: PasskeyPage;
  readonly 'email-code': EmailCodePage;
  readonly 'email-sign-in': EmailSignInPage;
  readonly unverified: UnverifiedPage;
  readonly 'change-password': ChangePasswordPage;
  readonly 'offer-passkey': OfferPasskeyPage;
}
