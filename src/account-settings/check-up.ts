import type { KnownDevice } from '../devices/index.ts';
import type { SecurityState } from './security-state.ts';

/**
 * One point of the security check-up. `advice` is a thing to do now, `offer` one that would make the account safer, `good`
 * nothing to do.
 */
export type CheckUpItem =
  | {
      readonly code: 'second-factor';
      readonly state: 'good' | 'advice';
      /** What a sign-in asks for after the password, when it asks. */
      readonly by: 'app' | 'passkey';
    }
  | {
      readonly code: 'backup-codes';
      readonly state: 'good' | 'offer' | 'advice';
      readonly left: number;
      /** What is lost on the day that they are needed. */
      readonly without: 'app' | 'passkey';
    }
  | { readonly code: 'passkey'; readonly state: 'good' | 'offer'; readonly count: number }
  | {
      readonly code: 'password';
      readonly state: 'good' | 'advice' | 'offer';
      readonly reason: 'none' | 'must-change' | 'expired' | 'old' | 'fine';
      readonly changedAt?: number | undefined;
    }
  | { readonly code: 'email'; readonly state: 'good' | 'advice' }
  | { readonly code: 'devices'; readonly state: 'good' | 'advice'; readonly unfamiliar: readonly KnownDevice[] };

/** From this many on a new set is worth making. */
export const fewBackupCodes = 2;

const day = 86_400_000;
/** A password that was never changed for so long has often been used elsewhere. NIST asks for no change by age alone, so it is an offer. */
const oldPassword = 730 * day;
/** So long a browser is worth a look. */
const unfamiliarFor = 14 * day;
/** What is there before is the person's own first browser. */
const settledAfter = day;

function passwordItem(state: SecurityState, now: number): CheckUpItem {
  const changedAt = state.times.password;
  const code = 'password';
  if (!state.factors.password || changedAt === undefined) return { code, state: 'good', reason: 'none' };
  if (state.mustChangePassword) return { code, state: 'advice', reason: 'must-change', changedAt };
  if (state.passwordExpired) return { code, state: 'advice', reason: 'expired', changedAt };
  return now - changedAt >= oldPassword
    ? { code, state: 'offer', reason: 'old', changedAt }
    : { code, state: 'good', reason: 'fine', changedAt };
}

/** Of several passkeys one stands in for another, so that codes are an offer; without a password they open nothing. */
function backupCodesItem({ factors: { password, totp, backupCodes: left }, passkeys }: SecurityState): CheckUpItem {
  const needed = totp || (password && passkeys.length < 2);
  const state = left > fewBackupCodes ? 'good' : needed ? 'advice' : 'offer';
  return { code: 'backup-codes', state, left, without: totp ? 'app' : 'passkey' };
}

/** Browsers that came lately to an account that had others before; not the one that asks. */
function unfamiliarOf({ knownDevices }: SecurityState, currentDevice: string | undefined, now: number): KnownDevice[] {
  const first = Math.min(...knownDevices.map(({ firstSeenAt }) => firstSeenAt));
  return knownDevices.filter(
    ({ deviceHash, firstSeenAt }) =>
      deviceHash !== currentDevice && firstSeenAt - first > settledAfter && now - firstSeenAt < unfamiliarFor,
  );
}

const rank = { advice: 0, offer: 1, good: 2 } as const;

/** What a person may want to do for their account, the most urgent first. */
export function checkUp(
  state: SecurityState,
  { now, currentDevice }: { readonly now: number; readonly currentDevice?: string | undefined },
): CheckUpItem[] {
  const { factors, passkeys } = state;
  const unfamiliar = unfamiliarOf(state, currentDevice, now);
  const items: CheckUpItem[] = [
    { code: 'second-factor', state: state.secondFactor ? 'good' : 'advice', by: factors.totp ? 'app' : 'passkey' },
    ...(state.secondFactor ? [backupCodesItem(state)] : []),
    passwordItem(state, now),
    { code: 'email', state: state.emailVerified ? 'good' : 'advice' },
    { code: 'devices', state: unfamiliar.length > 0 ? 'advice' : 'good', unfamiliar },
    ...(state.passkeysUsable || passkeys.length > 0
      ? [
          {
            code: 'passkey' as const,
            state: passkeys.length > 0 ? ('good' as const) : ('offer' as const),
            count: passkeys.length,
          },
        ]
      : []),
  ];
  return items.sort((one, other) => rank[one.state] - rank[other.state]);
}
