import type { AuditEvent, AuditLog } from '../audit/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Clock } from '../shared/clock.ts';

const reasons: Partial<Record<AuditEvent['type'], string>> = {
  'account.disabled': 'the account was disabled',
  'password.changed': 'the password was changed',
  'second_factor.removed': 'the second factor was removed',
};

interface Needs {
  readonly revocations: Pick<Revocations, 'revoke'>;
  readonly clock: Clock;
  /** Seconds that the longest-lived session or token of an account may still last. */
  readonly longestSeconds: number;
}

/**
 * Ends every session and token that an account has when it is taken back from whoever else may use it (ASVS 7.4.2,
 * 7.4.3). It hangs on the audit log because that is where each of these changes is told once, in its transaction.
 */
export function withEndedAccess(audit: AuditLog, { revocations, clock, longestSeconds }: Needs): AuditLog {
  return {
    ...audit,
    async record(event) {
      await audit.record(event);
      const reason = reasons[event.type];
      // A first password takes nothing from anybody.
      if (reason === undefined || event.subject === undefined || event.details?.first === true) return;
      const expiresAt = clock.now() + longestSeconds * 1000;
      await revocations.revoke({ kind: 'account', id: event.subject, expiresAt, reason, by: event.actor });
    },
  };
}
