import type { AuditLog } from '../audit/index.ts';
import type { AllFactors, AuditContext, Credentials, PasswordPolicy } from '../credentials/index.ts';
import type { Devices } from '../devices/index.ts';
import type { Links } from '../one-time-secrets/index.ts';
import type { Passkeys } from '../passkeys/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { ThrottleStore } from '../sign-in/index.ts';
import type { SettingsStore } from './settings-store.ts';

/** From where and by whom a change is asked for, for the audit log; by the person, when nobody else is named. */
export type ChangeContext = AuditContext;

/** What the settings of an account are made of. */
export interface SettingsParts {
  readonly store: SettingsStore;
  readonly credentials: Pick<
    Credentials,
    'preparePassword' | 'setPassword' | 'verifyPassword' | 'factorsOf' | 'totp' | 'backupCodes'
  >;
  readonly passwordPolicy: Pick<
    PasswordPolicy,
    'check' | 'rulesFor' | 'isExpired' | 'isShortAlone' | 'mustChange' | 'requireChange'
  >;
  readonly passkeys: Pick<
    Passkeys,
    'usable' | 'beginRegistration' | 'finishRegistration' | 'list' | 'countOf' | 'rename' | 'remove'
  >;
  readonly devices: Pick<Devices, 'forgetAll' | 'listKnown' | 'listRemembered'>;
  readonly links: Pick<Links, 'revokeAll'>;
  /** The one that sign-ins count in: whoever found a browser open must not guess here what is limited there. */
  readonly throttle: Pick<ThrottleStore, 'reserve' | 'giveBack'>;
  /** Milliseconds to wait after each wrong password in a row; the last one is the lock. */
  readonly delays: readonly number[];
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What an account proves itself with, as sign-in counts it. */
export async function factorsOf(
  { credentials, passkeys }: Pick<SettingsParts, 'credentials' | 'passkeys'>,
  id: AccountId,
): Promise<AllFactors> {
  const [factors, count] = await Promise.all([credentials.factorsOf(id), passkeys.usable ? passkeys.countOf(id) : 0]);
  return { ...factors, passkeys: count };
}
