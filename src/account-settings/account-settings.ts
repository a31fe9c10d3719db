import type { Account } from '../accounts/index.ts';
import type { CreationOptions, Passkey } from '../passkeys/index.ts';
import { changePassword, type PasswordChange, type PasswordChangeResult } from './change-password.ts';
import { forgetRememberedDevices } from './forget-remembered-devices.ts';
import { addPasskey, beginPasskey, removePasskey, renamePasskey } from './manage-passkeys.ts';
import type { ChangeContext, SettingsParts } from './parts.ts';
import { regenerateBackupCodes } from './regenerate-backup-codes.ts';
import { removeTotp, type TotpRemoval } from './remove-totp.ts';
import { readSecurityState, type SecurityState } from './security-state.ts';
import { beginTotp, confirmTotp, type TotpConfirmation, type TotpSetup } from './set-up-totp.ts';

/**
 * What a person changes about how they sign in. Each caller asks for a recent sign-in first; each change is one
 * transaction, safe from any number at once, and audited once. Not to be called within a transaction.
 */
export interface AccountSettings {
  securityState(account: Account): Promise<SecurityState>;
  changePassword(account: Account, change: PasswordChange, context?: ChangeContext): Promise<PasswordChangeResult>;
  beginTotp(account: Account, binding: string): Promise<TotpSetup>;
  confirmTotp(
    account: Account,
    input: { readonly binding: string; readonly code: string },
    context?: ChangeContext,
  ): Promise<TotpConfirmation>;
  removeTotp(account: Account, context?: ChangeContext): Promise<TotpRemoval>;
  regenerateBackupCodes(account: Account, context?: ChangeContext): Promise<readonly string[]>;
  beginPasskey(account: Account, binding: string): Promise<CreationOptions>;
  addPasskey(
    account: Account,
    input: { readonly binding: string; readonly response: unknown; readonly name?: string | undefined },
    context?: ChangeContext,
  ): Promise<Passkey>;
  renamePasskey(
    account: Account,
    input: { readonly passkeyId: string; readonly name: string },
    context?: ChangeContext,
  ): Promise<Passkey>;
  removePasskey(account: Account, passkeyId: string, context?: ChangeContext): Promise<void>;
  forgetRememberedDevices(account: Account, context?: ChangeContext): Promise<number>;
}

/** Makes the account-settings domain. Refusals are told where each use case is. */
export const createAccountSettings = (parts: SettingsParts): AccountSettings => ({
  securityState: (account) => readSecurityState(parts, account),
  changePassword: (account, change, context = {}) => changePassword(parts, account, change, context),
  beginTotp: (account, binding) => beginTotp(parts, account, binding),
  confirmTotp: (account, input, context = {}) => confirmTotp(parts, account, input, context),
  removeTotp: (account, context = {}) => removeTotp(parts, account, context),
  regenerateBackupCodes: (account, context = {}) => regenerateBackupCodes(parts, account, context),
  beginPasskey: (account, binding) => beginPasskey(parts, account, binding),
  addPasskey: (account, input, context = {}) => addPasskey(parts, account, input, context),
  renamePasskey: (account, input, context = {}) => renamePasskey(parts, account, input, context),
  removePasskey: (account, passkeyId, context = {}) => removePasskey(parts, account, passkeyId, context),
  forgetRememberedDevices: (account, context = {}) => forgetRememberedDevices(parts, account, context),
});
