import type { AuditLog } from '../audit/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Risk } from '../risk/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { EndedSession, SessionPolicy } from './session.ts';
import type { ActivityStore, SessionStore } from './session-store.ts';

/** Somebody who holds tokens or cookies of sessions and throws away those of one that has ended. */
export type EndListener = (ended: EndedSession) => Promise<void>;

/** What the sessions domain is made of. */
export interface SessionParts {
  readonly store: SessionStore;
  readonly activity: ActivityStore;
  readonly revocations: Pick<Revocations, 'revoke' | 'endOf'>;
  readonly audit: Pick<AuditLog, 'record'>;
  /** Looks at sessions that come from somewhere else; left out, nobody does. */
  readonly risk?: Pick<Risk, 'judgeActivity' | 'noteActivity' | 'locate'> | undefined;
  readonly clock: Clock;
  readonly policy: SessionPolicy;
  readonly logger: Logger;
  readonly listeners: Set<EndListener>;
}
