import { type AuditEvent, type AuditLog, currentAuditContext } from '../audit/index.ts';
import type { Devices } from '../devices/index.ts';
import type { CodeStore, LinkStore } from '../one-time-secrets/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { EndReason, Sessions } from '../sessions/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { asAccountId } from '../shared/ids.ts';
import type { FlowStore } from '../sign-in/index.ts';

/** What an event means for those who are already in. */
interface Effect {
  /** Why, in the words of the log. */
  readonly why: string;
  /** Every session and token of the account ends, the list of sessions tells why. */
  readonly ends?: EndReason;
  /**
   * Sign-ins that stand half-way start again, and codes and links are void that whoever had the account before may have asked
   * for. A factor is made within a sign-in, so that takes nothing back.
   */
  readonly takesBack: boolean;
}

/** Each of these makes remembered browsers show the second factor again. */
const effects: Partial<Record<AuditEvent['type'], Effect>> = {
  'account.disabled': { why: 'the account was disabled', ends: 'account-disabled', takesBack: true },
  'account.deleted': { why: 'the account was deleted', takesBack: true },
  'password.changed': { why: 'the password was changed', ends: 'password-changed', takesBack: true },
  'password.reset': { why: 'the password was reset', takesBack: true },
  'second_factor.enrolled': { why: 'the second factor was changed', takesBack: false },
  'second_factor.removed': { why: 'the second factor was removed', ends: 'factor-changed', takesBack: true },
  'passkey.removed': { why: 'a passkey was removed', takesBack: true },
  'recovery_link.used': { why: 'a recovery link was used', takesBack: true },
};

/** What somebody makes in a session and can use without it. A change of address asks as late as when it is confirmed. */
const lasting: ReadonlySet<AuditEvent['type']> = new Set([
  'passkey.added',
  'second_factor.enrolled',
  'backup_codes.created',
  'api_key.created',
  'api_key.rotated',
]);

const linksOfOthers = ['change-email', 'reset-password', 'sign-in'] as const;

interface Needs {
  readonly revocations: Pick<Revocations, 'revoke' | 'hold'>;
  readonly sessions: Pick<Sessions, 'endRevoked' | 'isOpen'>;
  readonly devices: Pick<Devices, 'forgetAll'>;
  readonly flows: Pick<FlowStore, 'forgetEvidence'>;
  readonly links: Pick<LinkStore, 'removeOf'>;
  readonly codes: Pick<CodeStore, 'removeOf'>;
  readonly clock: Clock;
  /** Seconds that the longest-lived session or token of an account may still last. */
  readonly longestSeconds: number;
}

/**
 * Undoes what was asked for in a session that was ended while it was done.
 * @throws AppError `unauthenticated`, in the transaction of the change
 */
async function checkMaker({ revocations, sessions }: Needs, event: AuditEvent): Promise<void> {
  const { type, subject, sessionId = currentAuditContext()?.sessionId } = event;
  if (!lasting.has(type) || subject === undefined || sessionId === undefined) return;
  await revocations.hold(asAccountId(subject));
  if (await sessions.isOpen(sessionId)) return;
  throw new AppError('unauthenticated', 'You were signed out meanwhile. Nothing was changed.');
}

/**
 * Takes an account back from whoever else may use it (ASVS 7.4.2, 7.4.3): its sessions and tokens, remembered devices,
 * sign-ins that stand half-way and what was mailed for them. It hangs on the audit log because that is where each such change is
 * told once, in its transaction.
 */
export function withEndedAccess(audit: AuditLog, needs: Needs): AuditLog {
  const { revocations, sessions, devices, flows, links, codes, clock, longestSeconds } = needs;
  return {
    ...audit,
    async record(event) {
      await checkMaker(needs, event);
      const { subject, actor, details, keptSession, keptFlow } = event;
      // A first password takes nothing from anybody.
      const effect = details?.first === true ? undefined : effects[event.type];
      if (effect === undefined || subject === undefined) return audit.record(event);
      const accountId = asAccountId(subject);
      const { why, ends, takesBack } = effect;
      // Whoever is about to come in, or to make something while in, has done so or sees what is written here. Nothing can
      // be added to an account that is gone.
      if (takesBack && event.type !== 'account.deleted') await revocations.hold(accountId);
      await audit.record(event);
      if (ends !== undefined) {
        const expiresAt = clock.now() + longestSeconds * 1000;
        await revocations.revoke({ kind: 'account', id: subject, expiresAt, reason: why, by: actor });
      }
      await devices.forgetAll(accountId, { by: actor, reason: why });
      if (takesBack) {
        await flows.forgetEvidence(accountId, keptFlow);
        await links.removeOf(accountId, linksOfOthers);
        await codes.removeOf(accountId);
      }
      if (ends !== undefined) await sessions.endRevoked(accountId, actor, ends, keptSession);
    },
  };
}
