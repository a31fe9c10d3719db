// Recovery: ways back into an account: a password by mail, and links that operators make for a lost second factor or
// password. Owns table `recovery_try`. It signs nobody in and removes nothing that the link does not name.
// Needs: accounts, credentials, passkeys, one-time-secrets, registration (its answer time), notifications, audit.
export type { IssuedRecoveryLink, RecoveryLinkOptions } from './issue-recovery-link.ts';
export type { RecoveryParts, RecoveryPaths } from './parts.ts';
export { createRecovery, type Recovery } from './recovery.ts';
export { type Proof, proofFor, type RecoveryTask, type Removable } from './recovery-link.ts';
export type { RecoveryTryStore } from './recovery-try-store.ts';
export type { ResetResult, ResetView } from './reset-password.ts';
export type { RecoveryAnswer, RecoveryResult, RecoveryView } from './use-recovery-link.ts';
