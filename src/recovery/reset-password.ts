import { type Account, parseEmail, personalWords } from '../accounts/index.ts';
import { hasSecondFactor, type PasswordVerdict } from '../credentials/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { occasionOf, type RequestMeta } from '../registration/index.ts';
import { type AccountId, newAccountId, randomText } from '../shared/ids.ts';
import { factorsOf, RecoveryIsVoid, type RecoveryParts } from './parts.ts';

/** Why a password is not taken. */
export type RefusedPassword = { readonly outcome: 'refused' } & Omit<Extract<PasswordVerdict, { ok: false }>, 'ok'>;

export type ResetResult =
  | {
      readonly outcome: 'done';
      readonly accountId: AccountId;
      /** It stands as before, and the next sign-in asks for it. */
      readonly secondFactor: boolean;
    }
  | RefusedPassword
  | { readonly outcome: 'expired' };

export type ResetView =
  | {
      readonly outcome: 'usable';
      readonly accountId: AccountId;
      readonly email: string;
      readonly secondFactor: boolean;
      readonly expiresAt: number;
    }
  | { readonly outcome: 'expired' };

const lifeSeconds = 3_600;
const longestLogin = 320;
/** Whom a mailed link may help: an operator's stop is ended by an operator. */
const helped: ReadonlySet<Account['status']> = new Set(['active', 'unverified', 'locked']);

/**
 * Mails a link to set a new password, if there is such an account. Any text gets the same answer, the same work and the
 * same time: without an account the link and the mail are made too, and lead nowhere.
 */
export async function requestReset(
  parts: RecoveryParts,
  login: string,
  meta: RequestMeta,
): Promise<{ readonly outcome: 'accepted' }> {
  const { accounts, links, notifications, audit, clock, paths, transaction, answerTime } = parts;
  await answerTime(async () => {
    const found = login.length > longestLogin ? undefined : await accounts.findByLogin(login);
    const account = found && helped.has(found.status) ? found : undefined;
    const to = account?.email ?? randomText(20);
    await transaction(async () => {
      const { token, expiresAt } = await links.create({
        purpose: 'reset-password',
        accountId: account?.id ?? newAccountId(),
        email: to,
        lifeSeconds,
        // Whoever types the name again must not end the link that is in the mailbox already.
        keepOlder: true,
      });
      await audit.record({
        ...meta,
        type: 'password.reset_requested',
        actor: { kind: 'stranger' },
        outcome: account ? 'success' : 'failure',
        ...(found && { subject: found.id }),
        ...(!account && { details: { reason: found?.status ?? 'unknown_login' } }),
      });
      await notifications.send({
        to,
        template: 'reset-password',
        account: account?.id,
        expiresAt,
        data: { ...occasionOf(clock, meta, account), path: paths.resetPassword(token), expiresAt },
      });
    });
  });
  return { outcome: 'accepted' };
}

/** The account of a link, while it may use it: it has a status that a mail can end and the address of the mail. */
async function accountOf({ accounts }: RecoveryParts, link: Link | undefined): Promise<Account | undefined> {
  const account = link?.accountId === undefined ? undefined : await accounts.find(link.accountId);
  if (!account || !helped.has(account.status)) return undefined;
  return parseEmail(account.email)?.key === parseEmail(link?.email ?? '')?.key ? account : undefined;
}

/** What the page says before a password is typed. Looking uses nothing up. */
export async function viewReset(parts: RecoveryParts, token: string): Promise<ResetView> {
  const link = await parts.links.peek('reset-password', token);
  const account = await accountOf(parts, link);
  if (!link || !account) return { outcome: 'expired' };
  const secondFactor = hasSecondFactor(await factorsOf(parts, account.id));
  return { outcome: 'usable', accountId: account.id, email: account.email, secondFactor, expiresAt: link.expiresAt };
}

/** Links that were mailed before, and a change of address that whoever had the old password may have started. */
const endedByReset = ['reset-password', 'verify-email', 'change-email', 'sign-in'] as const;

/**
 * Sets a password with a mailed link, once. The mail proves the address, so an account that waited for that, or was
 * locked, is active. Every session and token ends and the owner is told; the second factor stays, nobody is signed in, and
 * wrong tries from before pause nobody any more. A password that is refused uses nothing up. Not to be called within a transaction. @throws AppError `unavailable`
 */
export async function resetPassword(
  parts: RecoveryParts,
  token: string,
  password: string,
  meta: RequestMeta,
): Promise<ResetResult> {
  const { credentials, passwordPolicy, links, life, notifications, audit, clock, paths } = parts;
  const account = await accountOf(parts, await links.peek('reset-password', token));
  if (!account) return { outcome: 'expired' };
  const factors = await factorsOf(parts, account.id);
  const secondFactor = hasSecondFactor(factors);
  const verdict = await passwordPolicy.check(password, {
    accountId: account.id,
    personal: personalWords(account),
    secondFactor,
  });
  if (!verdict.ok) return { outcome: 'refused', reasons: verdict.reasons, strength: verdict.strength };
  const by = { kind: 'account', id: account.id } as const;
  // Before the transaction, which would hold its connection meanwhile.
  const prepared = await credentials.preparePassword(password);
  return voidable(parts, async () => {
    const link = await links.use('reset-password', token);
    if (link) await parts.disown(account.id);
    const proven = link && (await life.prove(account.id, link.email, 'recover', by, meta));
    if (!proven) throw new RecoveryIsVoid();
    await audit.record({ ...meta, type: 'password.reset', actor: by, outcome: 'success', subject: account.id });
    await credentials.setPassword(account.id, prepared, { ...meta, actor: by });
    // The audit log ends access and tells the owner when a password takes the place of another. A first one does neither
    // by itself, but came by a mail that somebody else may have read.
    if (!factors.password) {
      await parts.endAccess(account.id, by, 'the password was reset');
      const data = { ...occasionOf(clock, meta, proven.account), resetPath: paths.askForReset };
      await notifications.send({ to: proven.account.email, template: 'password-changed', account: account.id, data });
    }
    await links.revokeAll(account.id, endedByReset);
    await parts.unpause(proven.account);
    return { outcome: 'done', accountId: account.id, secondFactor } as const;
  });
}

async function voidable<T>(
  { transaction }: RecoveryParts,
  work: () => Promise<T>,
): Promise<T | { readonly outcome: 'expired' }> {
  try {
    return await transaction(work);
  } catch (error) {
    if (error instanceof RecoveryIsVoid) return { outcome: 'expired' };
    throw error;
  }
}
