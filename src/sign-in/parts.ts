import type { Accounts } from '../accounts/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { Credentials, PasswordPolicy } from '../credentials/index.ts';
import type { Devices } from '../devices/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Codes, Links } from '../one-time-secrets/index.ts';
import type { Passkeys } from '../passkeys/index.ts';
import type { AnswerTime, Registration } from '../registration/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Risk } from '../risk/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { AccountFactsStore } from './account-facts.ts';
import type { SignInPolicy } from './flow.ts';
import type { FlowStore } from './flow-store.ts';
import type { ThrottleStore } from './throttle-store.ts';

/** What the sign-in domain is made of. */
export interface SignInParts {
  readonly flows: FlowStore;
  readonly throttle: ThrottleStore;
  readonly facts: AccountFactsStore;
  readonly accounts: Pick<Accounts, 'find' | 'findByLogin'>;
  readonly credentials: Pick<
    Credentials,
    'lookUp' | 'factorsOf' | 'preparePassword' | 'setPassword' | 'totp' | 'backupCodes'
  >;
  readonly passwordPolicy: Pick<PasswordPolicy, 'check' | 'rulesFor' | 'isExpired'>;
  readonly passkeys: Pick<
    Passkeys,
    | 'usable'
    | 'beginAuthentication'
    | 'finishAuthentication'
    | 'list'
    | 'beginRegistration'
    | 'finishRegistration'
    | 'remove'
  >;
  readonly devices: Pick<Devices, 'useRemembered'>;
  readonly registration: Pick<Registration, 'resend'>;
  readonly codes: Pick<Codes, 'create' | 'count' | 'use'>;
  readonly links: Pick<Links, 'create' | 'peek' | 'use'>;
  readonly notifications: Pick<Notifications, 'send'>;
  /** Holds back answers whose time would tell whether somebody has an account. */
  readonly answerTime: AnswerTime;
  /** Looks for signs of somebody else; left out, nobody does. */
  readonly risk?: Pick<Risk, 'assessSignIn' | 'lookAhead' | 'refusesSignIns'>;
  /** Knows whose access was ended. */
  readonly revocations: Pick<Revocations, 'isRevokedCached' | 'endOf' | 'hold'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly policy: SignInPolicy;
  readonly logger: Logger;
}
