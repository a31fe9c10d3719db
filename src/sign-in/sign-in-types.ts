import type { PasswordReason } from '../credentials/index.ts';
import type { RememberedUse } from '../devices/index.ts';
import type { AccountId, ClientId } from '../shared/ids.ts';
import type { Authentication, Evidence, Method } from './evidence.ts';
import type { AccountFactors, Requirement, SecondFactor, Step } from './next-step.ts';

/** What a sign-in is started with. */
export interface NewSignIn {
  readonly clientId: ClientId;
  readonly requirement: Requirement;
  readonly loginHint?: string;
  /** What this browser proved before, in the session it still has. */
  readonly session?: Evidence;
  /** When the app asked; milliseconds since the epoch. Absent for now. */
  readonly startedAt?: number;
  /** The caller made its id just now: nothing can be stored under it. */
  readonly isNew?: boolean;
}

/** The browser that tries, by its cookies. */
export interface TryingDevice {
  /** Its stable id; it proves nothing. */
  readonly id?: string | undefined;
  /** The token with which it is remembered for an account, asked for when the first door is open. */
  tokenOf?(accountId: AccountId): string | undefined;
}

/** How a first door is opened, beside what opens it. */
export interface DoorInput {
  /** What the sign-in is started with, when nothing of it is stored yet. */
  readonly start?: NewSignIn;
  /**
   * Ends the sign-in in the same transaction when nothing is left to prove. `with-session`: where that is the first step,
   * it is stored by whoever opens the session, in one transaction with it; see {@link FinishedSignIn.step}.
   */
  readonly finish?: boolean | 'with-session';
  /** Failures in a browser that the account has used before count apart; a remembered one may stand for the second door. */
  readonly device?: TryingDevice;
  /** The surface has a page for the step `offer-passkey`. */
  readonly offersPasskey?: boolean;
}

/** A posted password. */
export interface PasswordInput extends DoorInput {
  readonly login: string;
  readonly password: string;
}

/** Where a sign-in stands, for the page to be drawn. It says nothing about an account before its password was right. */
export interface FlowView {
  readonly step: Step;
  /** Who this browser has proven to be; the label is their email. */
  readonly account?: { readonly id: AccountId; readonly label: string };
  /** The name to fill in: typed before in this sign-in, or hinted by the app. */
  readonly loginHint?: string;
  /** Codes that may still be tried at the second door. */
  readonly attemptsLeft?: number;
  /** When the second door closes; milliseconds since the epoch. */
  readonly challengeExpiresAt?: number;
  readonly factors: AccountFactors;
  /** What this browser has proven, as far as it counts here. */
  readonly proven?: readonly Method[];
  /** With `second-factor`: what opens it, the usual one first. */
  readonly ways?: readonly SecondFactor[];
}

/** From where a step is taken, for the audit log. */
export interface RequestMeta {
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
}

/**
 * Why a step was not taken. `mismatch`: wrong password, no such account or one that may not sign in, always the same.
 * `paused`: too many failures, nothing was looked at. `too_many_codes`: that was the last try of this challenge.
 * `expired`: the sign-in is over (no view) or the challenge is (the view says what is next). `wrong_step`: this step is not
 * due, perhaps because the same form was sent twice; the view says which one is.
 */
export type Refusal = 'mismatch' | 'paused' | 'wrong_code' | 'used_code' | 'too_many_codes' | 'expired' | 'wrong_step';

export interface RefusedStep {
  readonly outcome: 'refused';
  readonly reason: Refusal;
  /** When another try will be looked at; milliseconds since the epoch. Absent when that is now. */
  readonly retryAt?: number;
  readonly view?: FlowView;
  /** What becomes of the cookie of a remembered browser, when it was shown. */
  readonly remembered?: RememberedUse;
}

/**
 * What came of a wish for a mail. `waits`: one is on its way already. `limited`: too many were asked for. `refused`: none is
 * waited for here; without a view the sign-in is over.
 */
export interface MailResult {
  readonly outcome: 'sent' | 'waits' | 'limited' | 'refused';
  readonly view?: FlowView;
  /** With `limited`: when another one is made; milliseconds since the epoch. */
  readonly retryAt?: number;
}

/** A password that was not taken in the place of the old one. */
export type ChangeResult =
  | { readonly outcome: 'accepted'; readonly view: FlowView }
  | { readonly outcome: 'weak'; readonly reasons: readonly PasswordReason[]; readonly view: FlowView }
  | RefusedStep;

export type SubmitResult =
  | {
      readonly outcome: 'accepted';
      readonly view: FlowView;
      /** The sign-in was complete with this step and was ended by it, as asked. */
      readonly finished?: FinishedSignIn;
      /** What becomes of the cookie of a remembered browser, when it was shown. */
      readonly remembered?: RememberedUse;
    }
  | RefusedStep;

export type EnrolmentResult =
  | { readonly outcome: 'accepted'; readonly view: FlowView; readonly backupCodes: readonly string[] }
  | RefusedStep;

/** Who signed in and how, for the session and the tokens. */
export interface FinishedSignIn extends Authentication {
  readonly accountId: AccountId;
  /** The app that it was for. */
  readonly clientId: ClientId;
  /** To be kept with the session, and handed in when the same browser comes again. */
  readonly evidence: Evidence;
  /** The browser is one that the account has signed in with before; left out when nobody looked. */
  readonly deviceKnown?: boolean;
  /** The step that ended it, when nothing of it is stored yet. */
  readonly step?: UnstoredStep;
}

/** A first step that ended its sign-in, and goes into the transaction that opens the session. */
export interface UnstoredStep {
  /** Puts it into the transaction at hand. `done`: false when the flow took another step meanwhile, so nothing may be kept. */
  store(): Promise<{ readonly done: Promise<boolean> }>;
  /** The transaction was not kept: the try is no failure. */
  undo(): Promise<void>;
}
