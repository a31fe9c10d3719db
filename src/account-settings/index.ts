// Account settings: what a signed-in person changes about how they sign in (password, authenticator app, backup codes,
// passkeys, remembered devices), and what they are advised to. Owns no table: it locks the account's row and joins what
// the domains below own into whole changes. It asks for no recent sign-in and draws no pages: its callers do.
// Needs: accounts, credentials, passkeys, devices, one-time-secrets, sign-in (its throttle), audit.
export { type AccountSettings, createAccountSettings } from './account-settings.ts';
export type { PasswordChange, PasswordChangeResult } from './change-password.ts';
export { type CheckUpItem, checkUp, fewBackupCodes } from './check-up.ts';
export type { ChangeContext, SettingsParts } from './parts.ts';
export type { PasswordProof } from './prove-password.ts';
export type { TotpRemoval } from './remove-totp.ts';
export type { SecurityState } from './security-state.ts';
export type { TotpConfirmation, TotpSetup } from './set-up-totp.ts';
export type { FactorTimes, SettingsStore } from './settings-store.ts';
