import type { Factors } from '../credentials/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { type Evidence, freshPart, hasMethod } from './evidence.ts';

export type Step = 'password' | 'second-factor' | 'enroll-totp' | 'show-backup-codes' | 'done';

/** What an app, an API or a request asks of a sign-in. */
export interface Requirement {
  /** Two factors, also of an account that has only one so far. */
  readonly secondFactor: boolean;
  /** Evidence from before this time does not count (`prompt=login`, `max_age`). Seconds since the epoch. */
  readonly freshAfter?: number;
  /** Only this account will do (`id_token_hint`, step-up). */
  readonly accountId?: AccountId;
}

export interface Standing {
  readonly evidence: Evidence | undefined;
  /** Those of the account that the evidence is about. */
  readonly factors: Factors;
  readonly requirement: Requirement;
  /** A password from before this time does not open an enrolment: an old session must not add a factor. Seconds. */
  readonly enrolAfter?: number;
  /** New backup codes were made and the person has not said yet that they are stored. */
  readonly unseenCodes?: boolean;
}

/** The part of the evidence that this requirement lets count. */
export function countedEvidence(evidence: Evidence | undefined, requirement: Requirement): Evidence | undefined {
  if (!evidence) return undefined;
  if (requirement.accountId !== undefined && requirement.accountId !== evidence.accountId) return undefined;
  return freshPart(evidence, requirement.freshAfter);
}

/**
 * What a sign-in needs next. An account that has a second factor always shows it; one that has none sets it up when two
 * are required. Nothing else decides this: no page names the page after it.
 */
export function nextStep({ evidence, factors, requirement, enrolAfter, unseenCodes }: Standing): Step {
  const counted = countedEvidence(evidence, requirement);
  if (!counted || !hasMethod(counted, 'pwd')) return 'password';
  if (factors.totp || factors.backupCodes > 0) {
    if (!hasMethod(counted, 'otp', 'backup_code')) return 'second-factor';
  } else if (requirement.secondFactor) {
    const password = counted.methods.find(({ method }) => method === 'pwd');
    return enrolAfter !== undefined && password && password.at < enrolAfter ? 'password' : 'enroll-totp';
  }
  return unseenCodes ? 'show-backup-codes' : 'done';
}
