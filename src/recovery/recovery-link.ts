import type { Account } from '../accounts/index.ts';
import type { Factors } from '../credentials/index.ts';
import type { Link } from '../one-time-secrets/index.ts';

/** What was lost. The link stands in for it and for nothing else: what is left has to be proven beside the link. */
export type Lost = 'second-factor' | 'password';

/** `authenticator` is the app together with its backup codes: neither goes without the other. */
export type Removable = 'authenticator' | 'passkeys';

/** What a recovery link does, as the operator chose it and as it is kept with the link. */
export interface RecoveryTask {
  readonly lost: Lost;
  /** Taken away when the link is used, never before; empty for a lost password. */
  readonly removes: readonly Removable[];
}

/** What the person shows beside the link. */
export type Proof = 'password' | 'code' | 'nothing';

export interface Standing extends Factors {
  readonly passkeys: number;
}

/**
 * What has to be proven beside the link, or undefined when the link cannot help this account.
 * - Lost second factor: the password. It opens nothing by itself, so one who has only the link has nothing.
 * - Lost password: a code of the authenticator or a backup code. Whoever has a passkey and no codes signs in with that
 *   and sets a password there. An account without any other factor proves nothing: an operator could set the password too.
 * Both lost is two proofs too few for one link (NIST SP 800-63B-4 §4.2.2.2): first the password, by mail, then this.
 */
export function proofFor({ lost, removes }: RecoveryTask, standing: Standing): Proof | undefined {
  const codes = standing.totp || standing.backupCodes > 0;
  if (lost === 'password') return codes ? 'code' : standing.passkeys > 0 ? undefined : 'nothing';
  const removable =
    (removes.includes('authenticator') && codes) || (removes.includes('passkeys') && standing.passkeys > 0);
  return standing.password && removable ? 'password' : undefined;
}

const removables: readonly string[] = ['authenticator', 'passkeys'] satisfies Removable[];

/** What a stored link is for. */
export function taskOf({ data }: Link): RecoveryTask {
  const removes = Array.isArray(data.removes) ? (data.removes as readonly string[]) : [];
  return {
    lost: data.lost === 'password' ? 'password' : 'second-factor',
    removes: removes.filter((name): name is Removable => removables.includes(name)),
  };
}

/** Whether a link may help an account of this status: one by hand has not proven the mailbox, so it unlocks nothing. */
export const mayRecover = (status: Account['status'], delivery: 'mail' | 'hand'): boolean =>
  status === 'active' || (status === 'locked' && delivery === 'mail');
