import type { Account, AccountLife, Accounts } from '../accounts/index.ts';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { AllFactors, Credentials, PasswordPolicy } from '../credentials/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Links } from '../one-time-secrets/index.ts';
import type { Passkeys } from '../passkeys/index.ts';
import type { AnswerTime } from '../registration/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { RecoveryTryStore } from './recovery-try-store.ts';

/** Where the links of mails lead: paths below the issuer. */
export interface RecoveryPaths {
  resetPassword(token: string): string;
  recover(token: string): string;
  /** Where a new reset can be asked for, for notices. */
  readonly askForReset?: string | undefined;
}

/** What recovery is made of. */
export interface RecoveryParts {
  readonly accounts: Pick<Accounts, 'find' | 'findByLogin'>;
  readonly life: Pick<AccountLife, 'prove'>;
  readonly credentials: Pick<
    Credentials,
    'preparePassword' | 'setPassword' | 'verifyPassword' | 'factorsOf' | 'totp' | 'backupCodes'
  >;
  readonly passkeys: Pick<Passkeys, 'usable' | 'countOf' | 'removeAll'>;
  readonly passwordPolicy: Pick<PasswordPolicy, 'check' | 'isShortAlone' | 'requireChange'>;
  readonly links: Pick<Links, 'create' | 'peek' | 'use' | 'revoke' | 'revokeAll'>;
  readonly tries: RecoveryTryStore;
  readonly notifications: Pick<Notifications, 'send'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly paths: RecoveryPaths;
  readonly answerTime: AnswerTime;
  /** Takes from an account what a stranger may have registered it with; part of the transaction. */
  readonly disown: (id: AccountId) => Promise<void>;
  /** Ends every session, token and remembered device of an account; part of the transaction. */
  readonly endAccess: (id: AccountId, by: Actor, reason: string) => Promise<void>;
  /** Forgets the wrong tries of an account that is its owner's again; part of the transaction, and the last one. */
  readonly unpause: (account: Account) => Promise<void>;
  /** Runs writes that belong together, joining the transaction that is already open. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Undoes a transaction whose link or proof turned out to be good for nothing, so that no half of it is kept. */
export class RecoveryIsVoid extends Error {
  readonly why: 'expired' | 'wrong';

  constructor(why: 'expired' | 'wrong' = 'expired') {
    super(why);
    this.why = why;
  }
}

/** What an account proves itself with, as sign-in counts it. */
export async function factorsOf(
  { credentials, passkeys }: Pick<RecoveryParts, 'credentials' | 'passkeys'>,
  id: AccountId,
): Promise<AllFactors> {
  const [factors, count] = await Promise.all([credentials.factorsOf(id), passkeys.usable ? passkeys.countOf(id) : 0]);
  return { ...factors, passkeys: count };
}
