import { type Account, parseEmail } from '../accounts/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { AppError } from '../shared/errors.ts';
import { type AccountId, newAccountId } from '../shared/ids.ts';
import { LinkIsVoid, outcomeOfUsed, rememberConfirmed } from './confirm-link.ts';
import { lives, nobody, occasionOf, type RegistrationParts, type RequestMeta } from './parts.ts';
import { isOfDomain } from './registration-policy.ts';

export type ConfirmChangeResult =
  | { readonly outcome: 'changed'; readonly accountId: AccountId; readonly email: string }
  | { readonly outcome: 'already' }
  /** Somebody else made an account with the address meanwhile. */
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'expired' };

function readAddress({ policy }: RegistrationParts, account: Account, text: string) {
  const email = parseEmail(text);
  const refuse = (message: string): never => {
    throw new AppError('invalid_input', message, { fields: { email: message } });
  };
  if (!email) return refuse('Give a mail address, for example alex@example.com.');
  if (email.address === account.email) return refuse('This is your address already.');
  return isOfDomain(policy, email.key) ? email : refuse('Addresses at this domain cannot be used here.');
}

/**
 * Starts a change of address: a link to the new one, which alone makes the change. Another account's address gets the
 * same answer after the same time, and its owner a mail. The caller has seen a fresh sign-in.
 * @param signedInAt the moment of that sign-in, milliseconds; the change is void when the account was taken back after it
 * @throws AppError `not_found` for an account that is not active, `invalid_input` for an address that cannot be one.
 */
export async function changeEmail(
  parts: RegistrationParts,
  accountId: AccountId,
  newEmail: string,
  meta: RequestMeta,
  signedInAt: number,
): Promise<{ readonly outcome: 'accepted' }> {
  const { accounts, links, notifications, audit, clock, paths, transaction, answerTime } = parts;
  const account = await accounts.find(accountId);
  if (account?.status !== 'active') throw new AppError('not_found', 'There is no such account.');
  const email = readAddress(parts, account, newEmail);
  await answerTime(async () => {
    const owner = await accounts.findByLogin(email.address);
    const taken = owner !== undefined && owner.id !== accountId;
    const occasion = occasionOf(clock, meta, taken ? owner : account);
    await transaction(async () => {
      const by = { kind: 'account', id: accountId } as const;
      // Before the link, as a reset does it: in another order the two could wait for each other.
      await audit.record({
        ...meta,
        type: 'email.change_requested',
        actor: by,
        outcome: 'success',
        subject: accountId,
      });
      const { token, expiresAt } = await links.create({
        purpose: 'change-email',
        accountId: taken ? newAccountId() : accountId,
        email: email.address,
        data: { from: account.email, signedInAt },
        lifeSeconds: lives.changeEmail,
        // The mail may be one too many for the mailbox, and then the link that is in it already is all there is. A link to
        // another address ends: that was a typing error, or somebody else's wish.
        keepOlder: 'same-address',
      });
      if (taken) {
        const { signIn: signInPath, resetPassword: resetPath } = paths;
        const to = owner.status === 'suspended' || owner.status === 'deleted' ? nobody() : owner.email;
        const data = { ...occasion, signInPath, resetPath };
        await notifications.send({ to, template: 'registration-attempt', account: owner.id, data });
      } else {
        const data = { ...occasion, path: paths.confirmEmailChange(token), expiresAt };
        await notifications.send({ to: email.address, template: 'change-email', account: accountId, expiresAt, data });
      }
    });
  });
  return { outcome: 'accepted' };
}

/**
 * Whether the account was taken back after whoever asked was let in. What ends access removes the links that are there,
 * and this one may have been written later. Links of older versions do not say when that was.
 */
function isTakenBack({ revocations }: RegistrationParts, accountId: AccountId, { data, createdAt }: Link) {
  const issuedAt = typeof data.signedInAt === 'number' ? data.signedInAt : createdAt;
  return revocations.isRevoked([{ kind: 'account', id: accountId, issuedAt }]);
}

/** What may still open the account by the old mailbox, or name another new one. */
const mailed = ['verify-email', 'change-email', 'reset-password', 'sign-in', 'recovery'] as const;

/**
 * Makes the change, once, with the link to the new address. The old one is told, and every link that was mailed to it
 * is over. A link from before another change is over too, and one that somebody asked for who is not let in any more.
 */
export async function confirmEmailChange(
  parts: RegistrationParts,
  token: string,
  meta: RequestMeta,
): Promise<ConfirmChangeResult> {
  const { links, life, notifications, accounts, clock, transaction } = parts;
  try {
    const changed = await transaction(async () => {
      const link = await links.use('change-email', token);
      const to = link && parseEmail(link.email);
      if (link?.accountId === undefined || !to) return undefined;
      const { accountId } = link;
      const before = await accounts.find(accountId);
      const from = String(link.data.from);
      const account = await life.changeEmail(accountId, { from, to }, { kind: 'account', id: accountId }, meta);
      if (account === 'taken') throw new LinkIsVoid('taken');
      if (!account) throw new LinkIsVoid();
      await links.revokeAll(accountId, mailed);
      // Only here: a reset that is under way has taken its link, and the line above waited for it.
      if (await isTakenBack(parts, accountId, link)) throw new LinkIsVoid();
      await rememberConfirmed(parts, token, link, accountId);
      const data = occasionOf(clock, meta, before);
      await notifications.send({ to: from, template: 'email-changed', account: accountId, data });
      return { outcome: 'changed', accountId, email: account.email } as const;
    });
    return changed ?? { outcome: await outcomeOfUsed(parts, token) };
  } catch (error) {
    if (error instanceof LinkIsVoid) return { outcome: error.message === 'taken' ? 'taken' : 'expired' };
    throw error;
  }
}
