import type { AuditEvent, AuditType } from '../audit/index.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Flow } from './flow.ts';
import type { SignInParts } from './parts.ts';
import type { RequestMeta } from './sign-in-types.ts';
import { delaysOf } from './throttle.ts';
import type { Reservation } from './throttle-store.ts';

/** What was tried, by whom, and what came of it. */
export interface Failure {
  readonly type: Extract<AuditType, 'sign_in.failed' | 'second_factor.failed'>;
  readonly flow: Flow;
  readonly meta: RequestMeta;
  /** Undefined when no account has the name. */
  readonly accountId?: AccountId | undefined;
  /** For the operator; the person is told less. */
  readonly reason: string;
  /** The try that failed; absent when it was not looked at. */
  readonly reservation?: Reservation;
}

/** Records a failed step, and the lock if this was the try that set it. */
export async function recordFailure({ flows, audit, policy, logger }: SignInParts, failure: Failure): Promise<void> {
  const { type, flow, meta, accountId, reason, reservation } = failure;
  const event: Omit<AuditEvent, 'type'> = {
    ...meta,
    actor: { kind: 'stranger' },
    outcome: 'failure',
    clientId: flow.clientId,
    ...(accountId !== undefined && { subject: accountId }),
  };
  await flows.transaction(async () => {
    await audit.record({ ...event, type, details: { reason } });
    if (reservation && reservation.failures >= delaysOf(policy).length) {
      const until = new Date(reservation.retryAt).toISOString();
      await audit.record({ ...event, type: 'sign_in.locked', details: { failures: reservation.failures, until } });
      logger.warn({ accountId, until, ...meta }, 'An account is paused after too many failed tries.');
    }
  });
}
