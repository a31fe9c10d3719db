import type { Account } from '../accounts/index.ts';
import type { Reservation } from '../sign-in/index.ts';
import type { ChangeContext, SettingsParts } from './parts.ts';

/** What came of a password that somebody who is signed in had to show again. */
export type PasswordProof =
  | { readonly outcome: 'proven' }
  /** `retryAt`: when the next try is looked at, milliseconds; absent when it is at once. */
  | { readonly outcome: 'wrong_password'; readonly retryAt?: number }
  /** Not looked at. */
  | { readonly outcome: 'paused'; readonly retryAt: number };

async function recordFailure(
  { store, audit, delays, logger }: SettingsParts,
  { id }: Account,
  context: ChangeContext,
  failed?: Reservation,
): Promise<void> {
  const event = { actor: { kind: 'account', id }, ...context, outcome: 'failure', subject: id } as const;
  await store.transaction(async () => {
    const reason = failed ? 'wrong_password' : 'paused';
    await audit.record({ ...event, type: 'password.change_failed', details: { reason } });
    if (!failed || failed.failures < delays.length) return;
    const until = new Date(failed.retryAt).toISOString();
    await audit.record({ ...event, type: 'sign_in.locked', details: { failures: failed.failures, until } });
    logger.warn({ accountId: id, until }, 'An account is paused after too many wrong passwords in its settings.');
  });
}

/**
 * Looks at the password of somebody who is signed in, counted like one at the first door: before it is looked at, under
 * the account or its known browser, and taken back when it was right. The other failures stay, because this is no whole
 * sign-in.
 * @param deviceHash of the browser or app that it is shown in
 * @throws AppError `unavailable`; then it did not count
 */
export async function provePassword(
  parts: SettingsParts,
  account: Account,
  password: string,
  context: ChangeContext,
  deviceHash = '',
): Promise<PasswordProof> {
  const { throttle, credentials, clock, delays } = parts;
  const reservation = await throttle.reserve({ account: account.id }, delays, clock.now(), {
    accountId: account.id,
    deviceHash,
  });
  if (!reservation.granted) {
    await recordFailure(parts, account, context);
    return { outcome: 'paused', retryAt: reservation.retryAt };
  }
  let matches: boolean;
  try {
    matches = await credentials.verifyPassword(account.id, password);
  } catch (error) {
    await throttle.giveBack(reservation);
    throw error;
  }
  if (matches) {
    await throttle.giveBack(reservation);
    return { outcome: 'proven' };
  }
  await recordFailure(parts, account, context, reservation);
  const { retryAt } = reservation;
  return { outcome: 'wrong_password', ...(retryAt > clock.now() && { retryAt }) };
}
