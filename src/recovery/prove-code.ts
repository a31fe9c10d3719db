import type { RequestMeta } from '../registration/index.ts';
import type { AccountId } from '../shared/ids.ts';
import type { RecoveryParts } from './parts.ts';

/**
 * Looks at a code of the authenticator or a backup code. Does what is slow, and resolves to what spends the code, for
 * inside the transaction that uses it.
 */
export async function examineCode(
  { credentials }: Pick<RecoveryParts, 'credentials'>,
  accountId: AccountId,
  code: string,
  meta: RequestMeta,
): Promise<() => Promise<boolean>> {
  const { totp, backupCodes } = credentials;
  const hash = await backupCodes.match(accountId, code);
  if (hash !== undefined) return () => backupCodes.spend(accountId, hash, meta);
  return async () => (await totp.verify(accountId, code)) === 'accepted';
}
