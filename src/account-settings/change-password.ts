import { type Account, personalWords } from '../accounts/index.ts';
import { hasSecondFactor, type PasswordVerdict } from '../credentials/index.ts';
import { AppError } from '../shared/errors.ts';
import { type ChangeContext, factorsOf, type SettingsParts } from './parts.ts';
import { type PasswordProof, provePassword } from './prove-password.ts';

/** The old password and the new one. */
export interface PasswordChange {
  /** Left out by somebody who has none yet. */
  readonly current?: string | undefined;
  readonly next: string;
  /** The session of whoever changes it. All others end; its browser has to be signed in anew (`BrowserSessions.renew`). */
  readonly keepSession?: string | undefined;
  /** Of the browser or app that the session began in: when the account knows it, no stranger's guesses pause it there. */
  readonly deviceHash?: string | undefined;
}

export type PasswordChangeResult =
  | {
      readonly outcome: 'changed';
      /** What was issued up to then is over; milliseconds. Absent where a first password took nothing from anybody. */
      readonly endedUntil?: number;
    }
  | Exclude<PasswordProof, { outcome: 'proven' }>
  | ({ readonly outcome: 'refused' } & Omit<Extract<PasswordVerdict, { ok: false }>, 'ok'>);

/** Mailed links that whoever knew the old password may have asked for. */
const ended = ['reset-password', 'change-email', 'sign-in'] as const;

const overtaken = (): AppError =>
  new AppError('conflict', 'Your password or second factor was changed at the same moment. Open the page again.');

/**
 * Changes the password of somebody who is signed in and shows the old one, which is counted and paused like a sign-in.
 * The audit log ends all other sessions and every token, and tells the owner. The old one is looked at first, because what
 * the policy says of a new one tells which were used before. Not to be called within a transaction.
 * @throws AppError `conflict` when another change came in between, `unavailable`
 */
export async function changePassword(
  parts: SettingsParts,
  account: Account,
  { current, next, keepSession, deviceHash }: PasswordChange,
  context: ChangeContext,
): Promise<PasswordChangeResult> {
  const { store, credentials, passwordPolicy, links, clock } = parts;
  const { id } = account;
  const [before, factors] = [(await store.timesOf(id)).password, await factorsOf(parts, id)];
  if (before !== undefined) {
    const proof = await provePassword(parts, account, current ?? '', context, deviceHash);
    if (proof.outcome !== 'proven') return proof;
  }
  const secondFactor = hasSecondFactor(factors);
  const verdict = await passwordPolicy.check(next, { accountId: id, personal: personalWords(account), secondFactor });
  if (!verdict.ok) return { outcome: 'refused', reasons: verdict.reasons, strength: verdict.strength };
  const prepared = await credentials.preparePassword(next);
  return store.transaction(async () => {
    await store.lock(id);
    if ((await store.timesOf(id)).password !== before) throw overtaken();
    // A shorter password was enough beside a second factor only.
    if (secondFactor && !hasSecondFactor(await factorsOf(parts, id))) throw overtaken();
    await links.revokeAll(id, ended);
    await credentials.setPassword(id, prepared, {
      ...context,
      ...(keepSession !== undefined && { keptSession: keepSession }),
    });
    return { outcome: 'changed', ...(before !== undefined && { endedUntil: clock.now() }) };
  });
}
