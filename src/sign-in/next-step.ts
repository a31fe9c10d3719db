import type { Factors } from '../credentials/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { type Evidence, freshPart, hasMethod, hasVerifiedPasskey, isTwoFactors, type Method } from './evidence.ts';

export type Step =
  | 'password'
  | 'verify-email'
  | 'second-factor'
  | 'enroll-totp'
  | 'show-backup-codes'
  | 'change-password'
  | 'offer-passkey'
  | 'done';

/** What an app, an API or a request asks of a sign-in. */
export interface Requirement {
  /** Two factors, also of an account that has only one so far. */
  readonly secondFactor: boolean;
  /** Evidence from before this time does not count (`prompt=login`, `max_age`). Seconds since the epoch. */
  readonly freshAfter?: number;
  /** Only this account will do (`id_token_hint`, step-up). */
  readonly accountId?: AccountId;
}

/** What an account can prove itself with. */
export interface AccountFactors extends Factors {
  /** Passkeys that browsers can use here; absent is none. */
  readonly passkeys?: number;
}

/** What opens the second door. */
export type SecondFactor = 'totp' | 'passkey' | 'backup_code' | 'email';

/** Who is asked for a mailed code after the password: nobody, who has nothing better, or anybody who prefers it. */
export type EmailStep = 'off' | 'no-other-factor' | 'alternative';

/** What the installation lets a mailbox prove. */
export interface EmailPolicy {
  readonly step: EmailStep;
  /** What opens the first door in the place of a password. */
  readonly signIn: 'off' | 'code' | 'link';
  /** Mails leave this installation, so that one may be asked for where something is unusual. */
  readonly reachable?: boolean;
}

export interface Standing {
  readonly evidence: Evidence | undefined;
  /** Those of the account that the evidence is about. */
  readonly factors: AccountFactors;
  readonly requirement: Requirement;
  /** Proof from before this time adds no factor and changes no password: an old session must not. Seconds. */
  readonly enrolAfter?: number;
  /** New backup codes were made and the person has not said yet that they are stored. */
  readonly unseenCodes?: boolean;
  /** Left out, a mailbox proves nothing. */
  readonly email?: EmailPolicy | undefined;
  /** The address of the account has not been confirmed. */
  readonly unverified?: boolean;
  /** The password is marked or too old. */
  readonly passwordDue?: boolean;
  readonly offerPasskey?: boolean;
}

/** Whether a remembered browser counts: where nobody but the account itself wants a second factor. */
export const spares = ({ secondFactor, freshAfter }: Requirement): boolean => !secondFactor && freshAfter === undefined;

/** What a mailed code is good for here: where something is unusual, whoever has nothing better is asked for one. */
const emailStepOf = ({ step, reachable }: EmailPolicy, counted: Evidence | undefined): EmailStep =>
  step === 'off' && reachable && counted?.cautious ? 'no-other-factor' : step;

/**
 * The part of the evidence that this requirement lets count. A remembered browser spares its owner a second factor that
 * only the owner wants: it answers nobody else's demand and is no fresh proof.
 */
export function countedEvidence(evidence: Evidence | undefined, requirement: Requirement): Evidence | undefined {
  if (!evidence) return undefined;
  if (requirement.accountId !== undefined && requirement.accountId !== evidence.accountId) return undefined;
  const fresh = freshPart(evidence, requirement.freshAfter);
  if (spares(requirement) && !fresh.cautious) return fresh;
  return { ...fresh, methods: fresh.methods.filter(({ method }) => method !== 'device') };
}

/**
 * What opens the second door of this account, the usual one first. A demand of two factors is not met by mail, but whoever
 * has nothing to meet it with shows the mailbox before they set something up, where they would have had to without it:
 * anybody can make that demand of a sign-in, and it must not be the way around.
 */
export function waysThrough({
  evidence,
  factors,
  requirement,
  email,
}: Pick<Standing, 'evidence' | 'factors' | 'requirement' | 'email'>): readonly SecondFactor[] {
  const strong: SecondFactor[] = [
    ...(factors.totp ? (['totp'] as const) : []),
    ...((factors.passkeys ?? 0) > 0 ? (['passkey'] as const) : []),
    ...(factors.backupCodes > 0 ? (['backup_code'] as const) : []),
  ];
  const counted = countedEvidence(evidence, requirement);
  // The mailbox that opened the first door does not open the second one too.
  if (!email || (counted && !hasMethod(counted, 'pwd'))) return strong;
  const step = emailStepOf(email, counted);
  if (requirement.secondFactor) {
    const shown = counted && (hasMethod(counted, 'email') || isTwoFactors(counted));
    return step === 'off' || strong.length > 0 || shown ? strong : ['email'];
  }
  const mailed = step === 'alternative' || (step === 'no-other-factor' && strong.length === 0);
  return mailed ? [...strong, 'email'] : strong;
}

const methodOf: Record<SecondFactor, Method> = {
  totp: 'otp',
  passkey: 'passkey',
  backup_code: 'backup_code',
  email: 'email',
};

/** What the account, or whoever demands two factors of it, has still to be shown. */
function secondDoor(counted: Evidence, standing: Standing): Step | undefined {
  const ways = waysThrough(standing);
  // Whoever opened it with their last backup code has to set something up where two factors are demanded.
  const last = standing.requirement.secondFactor && ways.length === 0;
  if (hasVerifiedPasskey(counted) || (isTwoFactors(counted) && !last)) return undefined;
  if (standing.requirement.secondFactor) {
    if (!hasMethod(counted, 'pwd')) return 'password';
    const [way] = ways;
    if (way !== undefined && way !== 'email') return 'second-factor';
    if (!isRecent(counted, standing, 'pwd')) return 'password';
    return way === undefined ? 'enroll-totp' : 'second-factor';
  }
  // Whoever has just made a passkey need not show it in the same sign-in.
  const spared = hasMethod(counted, 'device', 'new_passkey');
  const opened = spared || hasMethod(counted, 'otp', 'backup_code', 'passkey', ...ways.map((way) => methodOf[way]));
  return ways.length === 0 || opened ? undefined : 'second-factor';
}

const isRecent = ({ methods }: Evidence, { enrolAfter }: Standing, ...which: readonly Method[]): boolean =>
  methods.some(({ method, at }) => which.includes(method) && (enrolAfter === undefined || at >= enrolAfter));

/**
 * What a sign-in needs next. An account that has a second factor always shows it; one that has none sets it up when two
 * are required. Nothing else decides this: no page names the page after it.
 */
export function nextStep(standing: Standing): Step {
  const { evidence, requirement, email, unverified, unseenCodes, passwordDue, offerPasskey } = standing;
  const counted = countedEvidence(evidence, requirement);
  if (!counted) return 'password';
  const opened = hasMethod(counted, 'pwd', ...(email && email.signIn !== 'off' ? (['email'] as const) : []));
  if (!opened && !hasVerifiedPasskey(counted)) return 'password';
  if (unverified) return 'verify-email';
  const missing = secondDoor(counted, standing);
  if (missing) return missing;
  if (unseenCodes) return 'show-backup-codes';
  if (passwordDue) return isRecent(counted, standing, 'pwd', 'passkey') ? 'change-password' : 'password';
  return offerPasskey ? 'offer-passkey' : 'done';
}
