import { errors } from 'oidc-provider';
import { currentUnitOfWork, type UnitOfWork } from '../storage/unit-of-work.ts';
import type { RefreshPolicy } from './artifact-store.ts';

/** What a store knows of a refresh token that was used, in milliseconds since the epoch. */
export interface UsedRefreshToken {
  /** When its redemption was over. */
  readonly consumedAt: number;
  /** When it was last answered with a successor, if a retry was. */
  readonly renewedAt?: number | undefined;
  /** Whether two presenters of it were seen at once. */
  readonly contended: boolean;
}

/**
 * What the second use of a refresh token is: a `retry` of a client whose answer got lost, a `parallel` use that came
 * too late but proves nothing, an `early` one that is no retry yet, or a `reuse` that ends the family
 * (RFC 9700 §4.14.2).
 */
export type SecondUse = 'retry' | 'early' | 'parallel' | 'reuse';

/**
 * Milliseconds from the end of a redemption within which nobody can have missed its answer yet: a client that waits for
 * one in vain takes longer to notice, while all who come together are here by then, on a busy server too.
 */
export const answerTime = 100;

/**
 * Judges a second use before anybody knows the successor. `retry` still needs one that nobody used; when it was used,
 * `early` is a reuse like any other.
 */
export function judgeSecondUse(
  token: Pick<UsedRefreshToken, 'consumedAt' | 'renewedAt'>,
  at: { readonly now: number; readonly arrivedAt: number; readonly retrySeconds: number },
): SecondUse {
  if (at.retrySeconds <= 0 || at.now - token.consumedAt > at.retrySeconds * 1000) return 'reuse';
  const waited = at.arrivedAt - Math.max(token.consumedAt, token.renewedAt ?? 0);
  // Who arrived before the first one was answered cannot have missed its answer.
  if (waited <= 0) return 'parallel';
  return waited <= answerTime ? 'early' : 'retry';
}

/** How long this client may try again, in seconds; 0 when it may not. */
export async function retrySecondsFor(policy: RefreshPolicy, clientId: string | undefined): Promise<number> {
  if (policy.refreshRetrySeconds <= 0 || clientId === undefined) return 0;
  return (await policy.isStrict(clientId)) ? 0 : policy.refreshRetrySeconds;
}

/** A used refresh token with what came of it. */
export interface RotatedRefreshToken extends UsedRefreshToken {
  readonly idHash: string;
  readonly successorHash: string | undefined;
}

/** What judging a second use needs of the store. */
export interface SecondUseAccess {
  /** The token as it is now, if it is still there. */
  reload(idHash: string): Promise<RotatedRefreshToken | undefined>;
  /** Whether the successor is there and nobody used it. */
  isUnused(successorHash: string): Promise<boolean>;
  /** Remembers that two presenters were seen at once. */
  markContended(idHash: string): Promise<void>;
}

/**
 * Whether a used refresh token may pass as unused in this request. If so, the rotation says what to find unchanged.
 * @throws errors.InvalidGrant for one that came too late for a race; that is no proof of theft.
 */
export async function passesAsRetry(
  token: RotatedRefreshToken,
  at: { readonly unit: UnitOfWork; readonly now: number; readonly retrySeconds: number },
  access: SecondUseAccess,
): Promise<boolean> {
  const verdict = judgeSecondUse(token, { ...at, arrivedAt: at.unit.startedAt });
  const { idHash, successorHash } = token;
  const refuse = async (): Promise<never> => {
    // Others of a race may have arrived a moment later still, and would look like a retry.
    if (!token.contended) await access.markContended(idHash);
    throw new errors.InvalidGrant('refresh token is being used by another request');
  };
  if (verdict === 'parallel') return refuse();
  if (verdict === 'reuse' || successorHash === undefined) return false;
  if (await access.isUnused(successorHash)) {
    // A retry is for one lost client. Where two presenters were seen, the one that was answered goes on.
    if (token.contended) throw new errors.InvalidGrant('refresh token was used by several requests');
    if (verdict === 'early') return refuse();
    rotationOf(at.unit).retry = { idHash, successorHash };
    return true;
  }
  // It was used, or a retry that was answered between the two looks has replaced it.
  const present = await access.reload(idHash);
  return present !== undefined && present.successorHash !== successorHash && passesAsRetry(present, at, access);
}

/** How one request turns a refresh token into the next; kept in the notes of its unit of work. */
export interface Rotation {
  /** Set by `find` when it let a used token pass as a retry: what `consume` has to find unchanged. */
  retry?: { readonly idHash: string; readonly successorHash: string };
  /** Set by `consume`. */
  predecessorHash?: string;
  /** Set by `upsert` of the token that takes over. */
  successorHash?: string;
}

const note = 'artifact.rotation';

/** The rotation of a unit of work, empty at first. */
export function rotationOf(unit: UnitOfWork): Rotation {
  let rotation = unit.notes.get(note) as Rotation | undefined;
  if (!rotation) {
    rotation = {};
    unit.notes.set(note, rotation);
  }
  return rotation;
}

/** The current request's rotation, when it is in a unit of work. */
export function currentRotation(): Rotation | undefined {
  const unit = currentUnitOfWork();
  return unit && rotationOf(unit);
}

/** What the loser of a race found out; left in the notes of the unit of work for the audit log. */
export interface Misuse {
  readonly kind: string;
  readonly clientId: string | undefined;
  /** Whether the whole grant was revoked for it. */
  readonly revoked: boolean;
  /** The grant, where the store that ended it may come back with what it had before. */
  readonly grantId?: string | undefined;
  /** The first use was over before this one came; else they came at once. */
  readonly late?: true;
}

const misuseNote = 'artifact.misuse';

/** Leaves word of a misuse that the library does not see, because the store settled it. */
export function noteMisuse(misuse: Misuse): void {
  currentUnitOfWork()?.notes.set(misuseNote, misuse);
}

/** What {@link noteMisuse} left in the request at hand. */
export const currentMisuse = (): Misuse | undefined => currentUnitOfWork()?.notes.get(misuseNote) as Misuse | undefined;
