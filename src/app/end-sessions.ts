import type { AuditEvent, AuditLog } from '../audit/index.ts';
import type { Devices } from '../devices/index.ts';
import type { LinkStore } from '../one-time-secrets/index.ts';
import type { EndReason, Sessions } from '../sessions/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { FlowStore } from '../sign-in/index.ts';

/** What takes every session of an account along; `withEndedAccess` revokes the account at the same events. */
const ending: Partial<Record<AuditEvent['type'], EndReason>> = {
  'account.disabled': 'account-disabled',
  'password.changed': 'password-changed',
  'second_factor.removed': 'factor-changed',
};

/** What makes a browser show the second factor again, with the words of the log. */
const forgetting: Partial<Record<AuditEvent['type'], string>> = {
  'account.disabled': 'the account was disabled',
  'account.deleted': 'the account was deleted',
  'password.changed': 'the password was changed',
  'password.reset': 'the password was reset',
  'second_factor.enrolled': 'the second factor was changed',
  'second_factor.removed': 'the second factor was removed',
  'passkey.removed': 'a passkey was removed',
  'recovery_link.used': 'a recovery link was used',
};

/** Mailed links that whoever had the account before may have asked for. */
const linksOfOthers = ['change-email', 'reset-password', 'sign-in'] as const;

/** What takes back sign-ins that stand half-way, and those links. A new factor is made within one of them, and takes nothing. */
const takesBack = (type: AuditEvent['type']): boolean => type in forgetting && type !== 'second_factor.enrolled';

interface Needs {
  readonly sessions: Pick<Sessions, 'endRevoked'>;
  readonly devices: Pick<Devices, 'forgetAll'>;
  readonly flows: Pick<FlowStore, 'forgetEvidence'>;
  readonly links: Pick<LinkStore, 'removeOf'>;
}

/**
 * Marks the sessions of an account as ended, forgets its remembered devices, its sign-ins that stand half-way and the
 * links that were mailed for it, when it is taken back from whoever else may use it. It hangs on the audit log because that is where each of these changes is told once, in its transaction.
 */
export function withEndedSessions(audit: AuditLog, { sessions, devices, flows, links }: Needs): AuditLog {
  return {
    ...audit,
    async record(event) {
      await audit.record(event);
      const { type, subject, actor, details, keptSession, keptFlow } = event;
      // A first password takes nothing from anybody.
      if (subject === undefined || details?.first === true) return;
      const accountId = asAccountId(subject);
      const forgotten = forgetting[type];
      if (forgotten !== undefined) await devices.forgetAll(accountId, { by: actor, reason: forgotten });
      if (takesBack(type)) {
        await flows.forgetEvidence(accountId, keptFlow);
        await links.removeOf(accountId, linksOfOthers);
      }
      const reason = ending[type];
      if (reason !== undefined) await sessions.endRevoked(accountId, actor, reason, keptSession);
    },
  };
}
