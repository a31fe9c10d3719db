// Credentials: how accounts prove who they are, by password, authenticator app and backup codes, and what passwords have
// to be. Owns tables `password`, `password_history`, `totp`, `totp_pending` and `backup_codes`, and the threads that hash
// and measure passwords. It counts no tries and knows no sign-in: limits,
// order and evidence belong to sign-in. Needs: audit, and the account's row to exist.
export type { AuditContext } from './audit-context.ts';
export type { BackupCodes, PreparedCodes } from './backup-codes.ts';
export type { CredentialStore, Factors, PasswordStore } from './credential-store.ts';
export {
  type Credentials,
  type CredentialsOptions,
  createCredentials,
  type PasswordContext,
  type PasswordMemory,
  type PreparedPassword,
} from './credentials.ts';
export { type ForeignHashReading, readForeignHash } from './foreign-hash-formats.ts';
export { type HashParts, partAlgorithms } from './foreign-hash-parts.ts';
export { type CredentialImport, createCredentialImport } from './import-credentials.ts';
export type { HashCost } from './password.ts';
export { type BreachSource, createBreachSource } from './password-breaches.ts';
export {
  createPasswordHasher,
  type PasswordHasher,
  type PasswordHasherOptions,
  type WatchHashing,
} from './password-hasher.ts';
export {
  createPasswordPolicy,
  type PasswordOwner,
  type PasswordPolicy,
  type PasswordPolicyOptions,
  type PasswordSettingsLookup,
  type PasswordVerdict,
} from './password-policy.ts';
export type { PasswordFacts, PasswordRecord, PasswordRecordStore } from './password-record-store.ts';
export type {
  CharacterClass,
  PasswordReason,
  PasswordReasonCode,
  PasswordRules,
  PasswordSettings,
} from './password-rules.ts';
export { createStrengthMeter, type PasswordStrength, type Score, type StrengthMeter } from './password-strength.ts';
export { type AllFactors, hasSecondFactor } from './second-factor.ts';
export { readTotpSecret, type TotpReading } from './totp.ts';
export type { EnrolmentOptions, TotpFactor } from './totp-factor.ts';
