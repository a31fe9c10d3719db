import type { Factors } from './credential-store.ts';

/** Everything that an account can prove itself with. */
export interface AllFactors extends Factors {
  /** Those that browsers can use here; others open no door. */
  readonly passkeys: number;
}

/**
 * Whether the password alone never opens the account, so that a shorter one is enough: every sign-in with it asks for one
 * of these too. A passkey counts because it is asked for like the others; that sign-in does so is held against this rule by
 * a test. A mailbox never counts.
 */
export const hasSecondFactor = ({ totp, backupCodes, passkeys }: Omit<AllFactors, 'password'>): boolean =>
  totp || backupCodes > 0 || passkeys > 0;
