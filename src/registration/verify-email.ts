import type { AccountId } from '../shared/ids.ts';
import { LinkIsVoid, outcomeOfUsed, rememberConfirmed } from './confirm-link.ts';
import type { RegistrationParts, RequestMeta } from './parts.ts';

export type VerifyResult =
  | {
      readonly outcome: 'verified';
      readonly accountId: AccountId;
      /** The username that was asked for belongs to somebody else, so the account has none. */
      readonly usernameTaken: boolean;
    }
  | { readonly outcome: 'already' }
  | { readonly outcome: 'expired' };

/**
 * Confirms the address that the link was mailed to, once, and makes the account active. It signs nobody in. A link to
 * an address that the account has not any more, or of an account that was stopped, is over.
 */
export async function verifyEmail(parts: RegistrationParts, token: string, meta: RequestMeta): Promise<VerifyResult> {
  const { links, life, transaction } = parts;
  try {
    const verified = await transaction(async () => {
      const link = await links.use('verify-email', token);
      if (link?.accountId === undefined) return undefined;
      const by = { kind: 'account', id: link.accountId } as const;
      const proven = await life.prove(link.accountId, link.email, 'verify', by, meta);
      if (!proven) throw new LinkIsVoid();
      await links.revokeAll(link.accountId, ['verify-email']);
      await rememberConfirmed(parts, token, link, link.accountId);
      return {
        outcome: 'verified',
        accountId: link.accountId,
        usernameTaken: link.data.usernameTaken === true,
      } as const;
    });
    return verified ?? { outcome: await outcomeOfUsed(parts, token) };
  } catch (error) {
    if (error instanceof LinkIsVoid) return { outcome: 'expired' };
    throw error;
  }
}
