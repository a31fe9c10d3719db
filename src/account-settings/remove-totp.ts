import type { Account } from '../accounts/index.ts';
import { AppError } from '../shared/errors.ts';
import { type ChangeContext, factorsOf, type SettingsParts } from './parts.ts';

export type TotpRemoval =
  | { readonly outcome: 'removed' }
  /** The password is only long enough beside a second factor, and has to be changed first. */
  | { readonly outcome: 'password_too_short'; readonly minLength: number };

const off = (): AppError => new AppError('conflict', 'Two-step verification is off already. Nothing was changed.');

/**
 * Takes the authenticator app and the backup codes away, which ends every session, token and remembered device: the
 * one that does it too, because a weaker account must not leave anybody signed in at the level of before. The last second factor restores the rule for long passwords: it is refused while the password is too short,
 * because a mark for the next sign-in would leave the account to a short password until then.
 * @throws AppError `conflict` when there is none
 */
export async function removeTotp(parts: SettingsParts, { id }: Account, context: ChangeContext): Promise<TotpRemoval> {
  const { store, credentials, passwordPolicy } = parts;
  return store.transaction(async () => {
    await store.lock(id);
    const { totp, passkeys } = await factorsOf(parts, id);
    if (!totp) throw off();
    // The backup codes go too, so that a passkey is all that may be left.
    if (passkeys === 0 && (await passwordPolicy.isShortAlone(id))) {
      const { minLength } = await passwordPolicy.rulesFor(false, id);
      return { outcome: 'password_too_short', minLength };
    }
    await credentials.totp.remove(id, context);
    return { outcome: 'removed' };
  });
}
