import type { Account, AccountLife, Accounts } from '../accounts/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { Credentials, PasswordPolicy } from '../credentials/index.ts';
import { describeBrowser, type Notifications } from '../notifications/index.ts';
import type { Links } from '../one-time-secrets/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Clock } from '../shared/clock.ts';
import { type AccountId, randomText } from '../shared/ids.ts';
import type { AnswerTime } from './answer-time.ts';
import type { ConfirmedLinkStore } from './confirmed-link-store.ts';
import type { PendingRegistrationStore } from './pending-registration-store.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/** From where a request came, for the audit log and for mails. */
export interface RequestMeta {
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
}

/** Where the links of mails lead: paths below the issuer. */
export interface RegistrationPaths {
  verifyEmail(token: string): string;
  confirmEmailChange(token: string): string;
  acceptInvitation(token: string): string;
  readonly signIn?: string | undefined;
  readonly resetPassword?: string | undefined;
}

/** What registration is made of. */
export interface RegistrationParts {
  readonly accounts: Pick<Accounts, 'create' | 'find' | 'findByLogin' | 'update'>;
  readonly life: Pick<AccountLife, 'prove' | 'changeEmail' | 'discard'>;
  readonly credentials: Pick<Credentials, 'preparePassword' | 'setPassword' | 'verifyPassword'>;
  readonly passwordPolicy: Pick<PasswordPolicy, 'check'>;
  readonly links: Pick<Links, 'create' | 'peek' | 'use' | 'revokeAll'>;
  readonly confirmed: ConfirmedLinkStore;
  readonly pending: PendingRegistrationStore;
  readonly revocations: Pick<Revocations, 'isRevoked'>;
  readonly notifications: Pick<Notifications, 'send'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly policy: RegistrationPolicy;
  readonly paths: RegistrationPaths;
  readonly answerTime: AnswerTime;
  /** Removes what accounts that are gone left elsewhere: links, codes, mails, traces in the audit log. */
  readonly forget: (ids: readonly AccountId[]) => Promise<void>;
  /** Runs writes that belong together, joining the transaction that is already open. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Seconds that a link works. */
export const lives = { verifyEmail: 86_400, changeEmail: 86_400, invitation: 7 * 86_400 } as const;

/**
 * Seconds that an end of access has to be remembered for what is asked for at that moment: as long as its link works, and
 * for a request that was slow to write it.
 */
export const longestAfterEnd = lives.changeEmail + 3_600;

/** What a mail says about the request that caused it. */
export const occasionOf = (clock: Clock, { ip, userAgent }: RequestMeta, account?: Account) => ({
  at: clock.now(),
  ip,
  browser: describeBrowser(userAgent),
  timeZone: account?.profile.zoneinfo,
});

/** An address that no mail goes to, for the same work as with one that does. Never twice the same: locks are by address. */
export const nobody = (): string => randomText(20);
