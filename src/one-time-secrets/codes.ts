import { randomInt } from 'node:crypto';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { CodeKey, CodeQuota, CodeStore } from './code-store.ts';

/** `expired` also says that there is none: it was never made, was used, or belongs to something else. */
export type CodeOutcome = 'accepted' | 'wrong' | 'too_many' | 'expired';

/**
 * Codes of eight digits that go to a person by mail or text message and are typed in. A hundred million are quickly
 * tried, so what is stored is an HMAC under the installation's secret, and each code has five tries.
 */
export interface Codes {
  /**
   * Makes a code in the place of the one before of the same purpose, binding and account.
   * @throws AppError `rate_limited` with `retryAfter` after too many codes in an hour for this purpose and account, so
   * that new codes give no tries without end. For a name that nobody has, call it with an account id derived from that
   * name: the answers and the time are the same then.
   * @throws RangeError when `lifeSeconds` is not between 1 and 600 (ASVS 5.0 §6.5.5).
   */
  create(
    code: CodeKey & {
      readonly lifeSeconds: number;
      /** It was counted already; see {@link Codes.count}. */
      readonly counted?: boolean;
    },
  ): Promise<{ readonly code: string; readonly expiresAt: number }>;
  /** Counts a code that is made later, or for something else than an account. @throws AppError `rate_limited` as `create` */
  count(key: Pick<CodeKey, 'purpose' | 'accountId'>): Promise<void>;
  /**
   * Compares, and uses the code up when it is right; of many callers at once one hears `accepted`. Spaces and hyphens
   * in what was typed do not count, and what is not eight digits costs no try. Call it outside a transaction that may
   * be rolled back, because the count of tries would be too.
   */
  use(code: CodeKey & { readonly code: string }): Promise<CodeOutcome>;
  /** Ends the codes of an account and says how many there were. */
  revokeAll(accountId: AccountId): Promise<number>;
}

export interface CodePolicy {
  readonly tries: number;
  /** Codes of one purpose for one account. */
  readonly quota: CodeQuota;
}

/** 25 tries in an hour of 100 million: 0.2 % for a year of trying without a pause. */
export const codePolicy: CodePolicy = { tries: 5, quota: { max: 5, windowSeconds: 3600 } };

const longestLife = 600;
const macPurpose = 'one-time-code';

const read = (typed: string): string | undefined => {
  const digits = typed.slice(0, 40).replaceAll(/[\s-]/g, '');
  return /^\d{8}$/.test(digits) ? digits : undefined;
};

const macInput = ({ purpose, binding, accountId }: CodeKey, code: string): string =>
  JSON.stringify([purpose, binding, accountId, code]);

interface Needs {
  readonly store: CodeStore;
  readonly clock: Clock;
  readonly secrets: SecretRing;
  readonly policy: CodePolicy;
}

async function count({ store, clock, policy }: Needs, key: Pick<CodeKey, 'purpose' | 'accountId'>): Promise<void> {
  const now = clock.now();
  const nextAt = await store.reserve(key, policy.quota, now);
  if (nextAt === undefined) return;
  throw new AppError('rate_limited', 'Too many codes were asked for. Use the newest one, or try again later.', {
    retryAfter: Math.max(1, Math.ceil((nextAt - now) / 1000)),
  });
}

async function create(needs: Needs, { lifeSeconds, counted = false, ...given }: Parameters<Codes['create']>[0]) {
  if (!(lifeSeconds >= 1 && lifeSeconds <= longestLife)) {
    throw new RangeError(`A code lives for 1 to ${longestLife} seconds.`);
  }
  const { store, clock, secrets } = needs;
  const { purpose, binding, accountId } = given;
  const key = { purpose, binding, accountId };
  const now = clock.now();
  const code = String(randomInt(100_000_000)).padStart(8, '0');
  const expiresAt = now + lifeSeconds * 1000;
  await store.transaction(async () => {
    if (!counted) await count(needs, key);
    await store.put({ ...key, codeMac: secrets.mac(macPurpose, macInput(key, code)), now, expiresAt });
  });
  return { code, expiresAt };
}

async function use({ store, clock, secrets, policy }: Needs, given: Parameters<Codes['use']>[0]): Promise<CodeOutcome> {
  const { code: typed, purpose, binding, accountId } = given;
  const code = read(typed);
  if (code === undefined) return 'wrong';
  const key = { purpose, binding, accountId };
  const found = await store.takeTry(key, policy.tries, clock.now());
  if (found === 'none') return 'expired';
  if (found === 'spent') return 'too_many';
  if (!secrets.verifyMac(macPurpose, macInput(key, code), found.codeMac)) return 'wrong';
  return (await store.take(key, found.codeMac)) ? 'accepted' : 'expired';
}

/** Makes the codes of the domain. */
export const createCodes = (needs: Needs): Codes => ({
  create: (code) => create(needs, code),
  count: (key) => count(needs, key),
  use: (code) => use(needs, code),
  revokeAll: (accountId) => needs.store.removeOf(accountId),
});
