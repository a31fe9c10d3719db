import type { Account } from '../accounts/index.ts';
import type { ChangeContext, SettingsParts } from './parts.ts';

export interface TotpSetup {
  /** Base32, ungrouped. */
  readonly secret: string;
  /** The `otpauth:` URI for a QR code. */
  readonly uri: string;
  /** Another authenticator works until this one is confirmed. */
  readonly replaces: boolean;
}

export type TotpConfirmation =
  | {
      readonly outcome: 'confirmed';
      /** New ones where there were none; shown here and never again. Those of before stay good. */
      readonly backupCodes: readonly string[];
      readonly replaced: boolean;
    }
  | { readonly outcome: 'wrong_code' }
  /** It took longer than ten minutes, or was confirmed already. */
  | { readonly outcome: 'expired' };

/**
 * What to scan: the same until it is confirmed or ten minutes are over. `binding` names the session that sets it up;
 * another one of the same account gets another secret.
 */
export async function beginTotp(
  { credentials }: SettingsParts,
  { id, email }: Account,
  binding: string,
): Promise<TotpSetup> {
  const { totp: replaces } = await credentials.factorsOf(id);
  return { ...(await credentials.totp.begin(id, email, { binding })), replaces };
}

/**
 * Turns the authenticator on that shows this code. One that was there works until this moment, in which the new one takes
 * its place. Codes are not counted: whoever set it up has seen the secret. @throws AppError `unavailable`
 */
export async function confirmTotp(
  { store, credentials }: SettingsParts,
  { id }: Account,
  { binding, code }: { readonly binding: string; readonly code: string },
  context: ChangeContext,
): Promise<TotpConfirmation> {
  const verdict = await credentials.totp.check(id, code, { binding });
  if (verdict !== 'accepted') return { outcome: verdict === 'wrong' ? 'wrong_code' : 'expired' };
  const { backupCodes: left } = await credentials.factorsOf(id);
  const prepared = left === 0 ? await credentials.backupCodes.prepare() : undefined;
  return store.transaction(async () => {
    await store.lock(id);
    const before = await credentials.factorsOf(id);
    if (!(await credentials.totp.confirm(id, code, { binding }, context))) return { outcome: 'expired' };
    const needed = prepared && before.backupCodes === 0 ? prepared : undefined;
    if (needed) await credentials.backupCodes.put(id, needed, context);
    return { outcome: 'confirmed', backupCodes: needed?.codes ?? [], replaced: before.totp };
  });
}
