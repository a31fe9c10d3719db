import type { Accounts } from '../accounts/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { Credentials } from '../credentials/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { SignInPolicy } from './flow.ts';
import type { FlowStore } from './flow-store.ts';
import type { ThrottleStore } from './throttle-store.ts';

/** What the sign-in domain is made of. */
export interface SignInParts {
  readonly flows: FlowStore;
  readonly throttle: ThrottleStore;
  readonly accounts: Pick<Accounts, 'find' | 'findByLogin'>;
  readonly credentials: Pick<Credentials, 'lookUp' | 'factorsOf' | 'totp' | 'backupCodes'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly policy: SignInPolicy;
  readonly logger: Logger;
}
