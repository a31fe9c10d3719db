import type { Actor } from '../audit/index.ts';
import type { RequestMeta } from '../registration/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { type IssuedRecoveryLink, issueRecoveryLink, type RecoveryLinkOptions } from './issue-recovery-link.ts';
import type { RecoveryParts } from './parts.ts';
import { type ResetResult, type ResetView, requestReset, resetPassword, viewReset } from './reset-password.ts';
import {
  type RecoveryAnswer,
  type RecoveryResult,
  type RecoveryView,
  useRecoveryLink,
  viewRecovery,
} from './use-recovery-link.ts';

/** Ways back into an account for somebody who lost a part of it. What a link does is done by a POST, never by opening it. */
export interface Recovery {
  /** Mails a link to set a new password. The answer is the same for any text, after the same time. */
  requestReset(login: string, meta?: RequestMeta): Promise<{ readonly outcome: 'accepted' }>;
  viewReset(token: string): Promise<ResetView>;
  /** Checks the password first, then does all of it or nothing. @throws AppError `unavailable`. */
  reset(token: string, newPassword: string, meta?: RequestMeta): Promise<ResetResult>;
  /** @throws AppError `not_found`, `forbidden`, `invalid_input`, `conflict`. */
  issueLink(
    accountId: AccountId,
    by: Actor,
    options?: RecoveryLinkOptions,
    meta?: RequestMeta,
  ): Promise<IssuedRecoveryLink>;
  viewLink(token: string): Promise<RecoveryView>;
  /** @throws AppError `unavailable`. */
  useLink(token: string, answer: RecoveryAnswer, meta?: RequestMeta): Promise<RecoveryResult>;
  /** Forgets the tries of links that are over, and says how many. */
  purge(): Promise<number>;
}

const batch = 1_000;

async function purge({ tries, clock }: RecoveryParts): Promise<number> {
  let total = 0;
  for (let removed = batch; removed >= batch; total += removed) removed = await tries.purge(clock.now(), batch);
  return total;
}

/** Makes the recovery domain. */
export const createRecovery = (parts: RecoveryParts): Recovery => ({
  requestReset: (login, meta = {}) => requestReset(parts, login, meta),
  viewReset: (token) => viewReset(parts, token),
  reset: (token, newPassword, meta = {}) => resetPassword(parts, token, newPassword, meta),
  issueLink: (accountId, by, options = {}, meta = {}) => issueRecoveryLink(parts, accountId, by, options, meta),
  viewLink: (token) => viewRecovery(parts, token),
  useLink: (token, answer, meta = {}) => useRecoveryLink(parts, token, answer, meta),
  purge: () => purge(parts),
});
