import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { AuditContext } from './audit-context.ts';
import { normalisePassword } from './password.ts';
import { consistsOf, wordsOf } from './password-blocklist.ts';
import type { BreachSource } from './password-breaches.ts';
import { generatePassword } from './password-generator.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { PasswordFacts, PasswordRecordStore } from './password-record-store.ts';
import {
  countedReasons,
  impossibleReason,
  minimumScore,
  type PasswordReason,
  type PasswordRules,
  type PasswordSettings,
  plainReason,
  rulesOf,
  usedBefore,
} from './password-rules.ts';
import {
  type PasswordStrength,
  type Score,
  type StrengthAnswer,
  type StrengthMeter,
  strengthOf,
} from './password-strength.ts';

/** The one place where the settings of an account are looked up; undefined is somebody without one yet. */
export type PasswordSettingsLookup = (accountId: AccountId | undefined) => Promise<PasswordSettings>;

/** Whose password it will be. */
export interface PasswordOwner {
  /** Left out for an account that does not exist yet: then there is no history. */
  readonly accountId?: AccountId | undefined;
  /** Email address, username and names, as they are. */
  readonly personal: readonly string[];
  /** Whether the account has a second factor, so that a shorter password is enough. */
  readonly secondFactor: boolean;
}

export type PasswordVerdict =
  | { readonly ok: true; readonly strength: PasswordStrength }
  | { readonly ok: false; readonly reasons: readonly PasswordReason[]; readonly strength: PasswordStrength };

/** What passwords have to be, and when they have to be changed. */
export interface PasswordPolicy extends AsyncDisposable {
  /**
   * Judges a new password. It hashes once for each remembered password and may ask the breach source, so it is called
   * outside of transactions. @throws AppError `unavailable` when overloaded.
   */
  check(password: string, owner: PasswordOwner): Promise<PasswordVerdict>;
  /** The same for callers that only go on or not. @throws AppError `invalid_input` with field `password`, `unavailable`. */
  enforce(password: string, owner: PasswordOwner): Promise<void>;
  /** What a page says before anything is typed. */
  rulesFor(secondFactor: boolean, accountId?: AccountId): Promise<PasswordRules>;
  /** A random password that this policy takes. */
  generate(accountId?: AccountId): Promise<string>;
  /** Whether the password is older than the settings allow. */
  isExpired(accountId: AccountId): Promise<boolean>;
  /** Whether the password is marked: somebody else chose it, or it is known to others. */
  mustChange(accountId: AccountId): Promise<boolean>;
  /** Whether the password was only long enough beside a second factor. To be asked when the last one is removed. */
  isShortAlone(accountId: AccountId): Promise<boolean>;
  /** Marks the password; false when the account has none. The next one that is set takes the mark away. */
  requireChange(accountId: AccountId, context?: AuditContext): Promise<boolean>;
}

export interface PasswordPolicyOptions {
  readonly settingsFor: PasswordSettingsLookup;
  /** Names of the service and its host that no password may consist of. */
  readonly serviceWords: readonly string[];
  readonly records: PasswordRecordStore;
  readonly hasher: PasswordHasher;
  readonly meter: StrengthMeter;
  /** Left out, nobody is asked about breaches. */
  readonly breaches?: BreachSource | undefined;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly logger: Logger;
}

const dayMilliseconds = 86_400_000;

/** The first thing that makes a password guessable. */
function guessable(
  text: string,
  { score, common }: StrengthAnswer,
  least: Score,
  words: { readonly service: readonly string[]; readonly personal: readonly string[] },
): PasswordReason[] {
  if (common) return [plainReason('common')];
  if (consistsOf(text, words.service)) return [plainReason('service_word')];
  if (consistsOf(text, [...words.personal, ...words.service])) return [plainReason('personal_word')];
  return score < least ? [plainReason('weak')] : [];
}

/** Compares with one hash after the other, so that one person takes one thread and one place in the queue. */
async function wasUsed(
  { records, hasher }: PasswordPolicyOptions,
  accountId: AccountId,
  text: string,
  history: number,
): Promise<boolean> {
  for (const hash of await records.recentHashes(accountId, history)) {
    if ((await hasher.verify(hash, text)) === 'match') return true;
  }
  return false;
}

/** Asks the breach source; when it does not answer, the password passes and the audit log says so. */
async function wasBreached(
  { breaches, audit, logger }: PasswordPolicyOptions,
  accountId: AccountId | undefined,
  text: string,
): Promise<boolean> {
  if (!breaches) return false;
  try {
    return (await breaches.count(text)) > 0;
  } catch (error) {
    const reason = reasonOf(error);
    logger.warn({ source: breaches.kind, reason }, 'A new password could not be compared with known breaches.');
    await audit.record({
      type: 'password.breach_check_failed',
      actor: { kind: 'system' },
      outcome: 'failure',
      ...(accountId && { subject: accountId }),
      details: { source: breaches.kind, reason },
    });
    return false;
  }
}

async function check(
  options: PasswordPolicyOptions,
  service: readonly string[],
  password: string,
  { accountId, personal, secondFactor }: PasswordOwner,
): Promise<PasswordVerdict> {
  const settings = await options.settingsFor(accountId);
  const text = normalisePassword(password);
  if (text === undefined) return { ok: false, reasons: [impossibleReason(password)], strength: strengthOf(0) };
  const words = { service, personal: wordsOf(personal) };
  const answer = await options.meter.measure({ text, words: [...words.personal, ...service] });
  const strength = strengthOf(answer.common ? 0 : answer.score);
  const reasons = [
    ...countedReasons(text, settings, secondFactor),
    ...guessable(text, answer, minimumScore(settings, secondFactor), words),
  ];
  if (reasons.length > 0) return { ok: false, reasons, strength };
  // What costs hashes or leaves the house comes last, for a password that is good otherwise.
  if (accountId && (await wasUsed(options, accountId, text, settings.history))) {
    return { ok: false, reasons: [usedBefore(settings)], strength };
  }
  if (await wasBreached(options, accountId, text)) return { ok: false, reasons: [plainReason('breached')], strength };
  return { ok: true, strength };
}

/** Makes the policy. Nothing is loaded before the first password is judged. */
export function createPasswordPolicy(options: PasswordPolicyOptions): PasswordPolicy {
  const { settingsFor, records, meter, clock, audit } = options;
  const service = wordsOf(options.serviceWords);
  const ask = async (accountId: AccountId, about: (facts: PasswordFacts) => boolean | Promise<boolean>) => {
    const facts = await records.find(accountId);
    return facts !== undefined && about(facts);
  };
  const policy: PasswordPolicy = {
    check: (password, owner) => check(options, service, password, owner),
    async enforce(password, owner) {
      const verdict = await policy.check(password, owner);
      if (verdict.ok) return;
      const text = verdict.reasons.map((reason) => reason.text).join(' ');
      throw new AppError('invalid_input', text, { fields: { password: text } });
    },
    rulesFor: async (secondFactor, accountId) => rulesOf(await settingsFor(accountId), secondFactor),
    generate: async (accountId) => generatePassword(await settingsFor(accountId)),
    isExpired: (accountId) =>
      ask(accountId, async ({ changedAt }) => {
        const { maxAgeDays } = await settingsFor(accountId);
        return maxAgeDays !== undefined && clock.now() - changedAt >= maxAgeDays * dayMilliseconds;
      }),
    mustChange: (accountId) => ask(accountId, ({ mustChange }) => mustChange),
    isShortAlone: (accountId) => ask(accountId, ({ shortAlone }) => shortAlone),
    requireChange: (accountId, context = {}) =>
      records.transaction(async () => {
        if (!(await records.requireChange(accountId))) return false;
        await audit.record({
          actor: { kind: 'system' },
          ...context,
          type: 'password.change_required',
          outcome: 'success',
          subject: accountId,
        });
        return true;
      }),
    [Symbol.asyncDispose]: () => meter[Symbol.asyncDispose](),
  };
  return policy;
}
