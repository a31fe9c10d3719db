import { parseEmail } from '../accounts/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { sha256 } from '../shared/crypto.ts';
import type { AccountId } from '../shared/ids.ts';
import type { RegistrationParts } from './parts.ts';

type ConfirmPurpose = 'verify-email' | 'change-email';

/** How a link in a mail stands, for the page behind it. Looking changes nothing. */
export type LinkView =
  | { readonly outcome: 'usable'; readonly email: string; readonly expiresAt: number }
  /** It has done its work, and that still holds. */
  | { readonly outcome: 'already' }
  | { readonly outcome: 'expired' };

/** How long a link that has done its work says so; as long as it would have worked at most. */
export function rememberConfirmed({ confirmed }: RegistrationParts, token: string, link: Link, accountId: AccountId) {
  const emailKey = parseEmail(link.email)?.key ?? link.email;
  return confirmed.add({ tokenHash: sha256(token), accountId, emailKey, expiresAt: link.expiresAt });
}

/** `already` when this token confirmed the address that the account still has, else `expired`. */
export async function outcomeOfUsed(
  { confirmed, accounts, clock }: RegistrationParts,
  token: string,
): Promise<'already' | 'expired'> {
  if (token.length > 100) return 'expired';
  const link = await confirmed.find(sha256(token), clock.now());
  const account = link && (await accounts.find(link.accountId));
  if (!account?.emailVerified || account.status !== 'active') return 'expired';
  return parseEmail(account.email)?.key === link?.emailKey ? 'already' : 'expired';
}

/** What the page says before anything is confirmed. */
export async function viewLink(parts: RegistrationParts, purpose: ConfirmPurpose, token: string): Promise<LinkView> {
  const link = await parts.links.peek(purpose, token);
  if (!link) return { outcome: await outcomeOfUsed(parts, token) };
  return { outcome: 'usable', email: link.email, expiresAt: link.expiresAt };
}

/** Undoes a transaction whose link turned out to be good for nothing, so that no half of it is kept. */
export class LinkIsVoid extends Error {}
