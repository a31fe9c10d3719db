import { type Account, parseEmail } from '../accounts/index.ts';
import { newAccountId } from '../shared/ids.ts';
import { lives, nobody, type RegistrationParts } from './parts.ts';

/** Mails the link that confirms an address, to that address. Without an account it does the same work for nobody. */
export async function sendVerification(
  { links, notifications, paths }: Pick<RegistrationParts, 'links' | 'notifications' | 'paths'>,
  account: Account | undefined,
  { usernameTaken = false }: { readonly usernameTaken?: boolean } = {},
): Promise<void> {
  const to = account?.email ?? nobody();
  const { token, expiresAt } = await links.create({
    purpose: 'verify-email',
    accountId: account?.id ?? newAccountId(),
    email: to,
    data: { usernameTaken },
    lifeSeconds: lives.verifyEmail,
    // Whoever types the address again must not end the link that is in the mailbox already.
    keepOlder: true,
  });
  await notifications.send({
    to,
    template: 'verify-email',
    account: account?.id,
    expiresAt,
    data: { path: paths.verifyEmail(token), expiresAt, timeZone: account?.profile.zoneinfo },
  });
}

/**
 * Mails the link again, if there is an account whose address waits to be confirmed. The answer is the same for any
 * address, after the same time; how many mails a mailbox gets is limited where they are sent.
 */
export async function resendVerification(
  parts: RegistrationParts,
  email: string,
): Promise<{ readonly outcome: 'accepted' }> {
  const { accounts, transaction, answerTime } = parts;
  await answerTime(async () => {
    const found = parseEmail(email) && (await accounts.findByLogin(email));
    const waits = found && !found.emailVerified && (found.status === 'unverified' || found.status === 'active');
    await transaction(() => sendVerification(parts, waits ? found : undefined));
  });
  return { outcome: 'accepted' };
}
