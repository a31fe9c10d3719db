import type { AccountId, ClientId } from '../shared/ids.ts';
import type { Evidence } from './evidence.ts';
import type { EmailPolicy, Requirement } from './next-step.ts';

/** One sign-in of one browser for one app, from the first page to the last. Times are milliseconds since the epoch. */
export interface Flow {
  /** SHA-256 of the id that the browser's cookie proves. */
  readonly id: string;
  readonly clientId: ClientId;
  readonly requirement: Requirement;
  readonly loginHint?: string;
  readonly evidence?: Evidence;
  /** Wrong codes since the last password. */
  readonly wrongCodes: number;
  /** When the second door closes again. */
  readonly challengeEndsAt?: number;
  readonly unseenCodes: boolean;
  /** The person may be asked whether they want a passkey, once all else is done. */
  readonly offerPasskey: boolean;
  /** To whom the code or link of the first door was mailed; a made-up one for a name that nobody has. */
  readonly mailAccount?: AccountId;
  /** When the last code or link was mailed in this sign-in. */
  readonly mailedAt?: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly finishedAt?: number;
  /** Grows with every change of the evidence, from {@link unstored}. A change names the version it was decided on. */
  readonly version: number;
}

/** The version of a flow that nothing was proven in yet, so that there was nothing to store. */
export const unstored = 0;

/** The numbers that operators set. */
export interface SignInPolicy {
  /** Failed tries until an account is paused. */
  readonly lockoutTries: number;
  /** How long it stays paused. */
  readonly lockoutSeconds: number;
  /** How long the second door waits after the first. */
  readonly challengeSeconds: number;
  /** How long a whole sign-in may take. */
  readonly flowSeconds: number;
  /** Wrong codes until the first door is asked again. */
  readonly codeTries: number;
  /** What a mailbox proves; left out, nothing. */
  readonly email?: EmailPolicy;
  /** Passwords have a longest age, so that it is looked at. */
  readonly passwordsExpire?: boolean;
  /** Days until an account may be offered a passkey again; 0 or left out is never. */
  readonly passkeyOfferDays?: number;
}

const century = 100 * 365 * 86_400;

/** Milliseconds of a configured duration; nobody's typing error overflows a time. */
export const toMilliseconds = (seconds: number): number =>
  Number.isFinite(seconds) ? Math.max(0, Math.min(seconds, century)) * 1000 : century * 1000;

/** Whether the second door is shut: too late, or too many wrong codes. The password opens it again. */
export const isChallengeOver = (flow: Flow, policy: SignInPolicy, now: number): boolean =>
  flow.wrongCodes >= policy.codeTries || (flow.challengeEndsAt !== undefined && flow.challengeEndsAt <= now);

/** Whether nothing can come of this flow any more. */
export const isOver = (flow: Flow, now: number): boolean => flow.finishedAt !== undefined || flow.expiresAt <= now;
