// Credentials: how accounts prove who they are, by password, authenticator app and backup codes. Owns tables `password`,
// `totp`, `totp_pending` and `backup_codes`, and the threads that hash. It counts no tries and knows no sign-in: limits,
// order and evidence belong to sign-in. Needs: audit, and the account's row to exist.
export type { AuditContext } from './audit-context.ts';
export type { BackupCodes, PreparedCodes } from './backup-codes.ts';
export type { CredentialStore, Factors, PasswordStore } from './credential-store.ts';
export { type Credentials, type CredentialsOptions, createCredentials } from './credentials.ts';
export type { HashCost } from './password.ts';
export { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from './password-hasher.ts';
export type { EnrolmentOptions, TotpFactor } from './totp-factor.ts';
