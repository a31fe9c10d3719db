import { type Account, partyOf } from '../accounts/index.ts';
import type { Actor } from '../audit/index.ts';
import type { RequestMeta } from '../registration/index.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { RecoveryParts } from './parts.ts';
import { mayRecover, proofFor, type RecoveryTask } from './recovery-link.ts';

/** What an operator chooses. */
export interface RecoveryLinkOptions {
  /** Default: the second factor. */
  readonly lost?: RecoveryTask['lost'] | undefined;
  /** What is taken away when the link is used. Default for a lost second factor: the authenticator. */
  readonly removes?: RecoveryTask['removes'] | undefined;
  /** `mail`, the default, sends the link to the person and shows it to nobody else; `hand` shows it to the operator. */
  readonly delivery?: 'mail' | 'hand' | undefined;
  /** Default: an hour; at most a day. */
  readonly lifeSeconds?: number | undefined;
}

export interface IssuedRecoveryLink extends RecoveryTask {
  readonly id: string;
  readonly delivery: 'mail' | 'hand';
  /** Only for delivery by hand. */
  readonly path?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const hour = 3_600;
const day = 86_400;

function checkIssuer(by: Actor, account: Account | undefined): asserts account is Account {
  if (!account || account.status === 'deleted') throw new AppError('not_found', 'There is no such account.');
  // Else a session that somebody took over could take the second factor off as well.
  if (partyOf(by, account.id) !== 'operator') {
    throw new AppError('forbidden', 'A recovery link is made by somebody else than the person it is for.');
  }
}

/**
 * Makes a recovery link: single use, expiring, audited. It takes the place of one that was made before, removes nothing
 * until it is used, and opens nothing without the proof that {@link proofFor} names.
 * @throws AppError `not_found`, `forbidden`, `invalid_input`, or `conflict` when it could not help this account.
 */
export async function issueRecoveryLink(
  parts: RecoveryParts,
  accountId: AccountId,
  by: Actor,
  options: RecoveryLinkOptions,
  meta: RequestMeta,
): Promise<IssuedRecoveryLink> {
  const { accounts, credentials, passkeys, links, notifications, audit, paths, transaction } = parts;
  const { lost = 'second-factor', delivery = 'mail', lifeSeconds = hour } = options;
  const removes = lost === 'password' ? [] : [...new Set(options.removes ?? (['authenticator'] as const))];
  if (!(lifeSeconds > 0 && lifeSeconds <= day)) {
    throw new AppError('invalid_input', 'A recovery link works for a day at most.', {
      fields: { lifeSeconds: 'Give 1 to 86400 seconds.' },
    });
  }
  const account = await accounts.find(accountId);
  checkIssuer(by, account);
  const standing = { ...(await credentials.factorsOf(accountId)), passkeys: await passkeys.countOf(accountId) };
  if (!mayRecover(account.status, delivery) || proofFor({ lost, removes }, standing) === undefined) {
    throw new AppError(
      'conflict',
      'A recovery link of this kind cannot help this account as it is now: it may not be recovered, or has nothing of what the link removes, or nothing that could be proven beside it.',
    );
  }
  return transaction(async () => {
    const { id, token, expiresAt } = await links.create({
      purpose: 'recovery',
      accountId,
      email: account.email,
      data: { lost, removes, delivery },
      lifeSeconds,
    });
    const path = paths.recover(token);
    const details = { lost, removes, delivery, link: id };
    await audit.record({
      ...meta,
      type: 'recovery_link.created',
      actor: by,
      outcome: 'success',
      subject: accountId,
      details,
    });
    if (delivery === 'mail') {
      const data = { path, expiresAt, timeZone: account.profile.zoneinfo };
      await notifications.send({ to: account.email, template: 'recovery-link', account: accountId, expiresAt, data });
    }
    return { id, lost, removes, delivery, expiresAt, ...(delivery === 'hand' && { path }) };
  });
}
