import type { Account } from '../accounts/index.ts';
import { type Factors, hasSecondFactor } from '../credentials/index.ts';
import type { KnownDevice } from '../devices/index.ts';
import type { Passkey } from '../passkeys/index.ts';
import type { SettingsParts } from './parts.ts';
import type { FactorTimes } from './settings-store.ts';

/** How an account is guarded at one moment. Times are milliseconds since the epoch. */
export interface SecurityState {
  readonly factors: Factors;
  /** Whether a sign-in with the password asks for something else too. */
  readonly secondFactor: boolean;
  /** Since when it has them. */
  readonly times: FactorTimes;
  readonly passkeys: readonly Passkey[];
  /** Whether browsers can make passkeys for this installation. */
  readonly passkeysUsable: boolean;
  /** Somebody else chose the password, or it is known to others. */
  readonly mustChangePassword: boolean;
  /** Older than the installation allows. */
  readonly passwordExpired: boolean;
  /** It was long enough beside a second factor only. */
  readonly passwordIsShort: boolean;
  readonly emailVerified: boolean;
  /** The browser seen last comes first. */
  readonly knownDevices: readonly KnownDevice[];
  /** How many need no second factor for a while. */
  readonly rememberedDevices: number;
}

/** Reads all of it. */
export async function readSecurityState(
  { store, credentials, passkeys, passwordPolicy, devices }: SettingsParts,
  { id, emailVerified }: Account,
): Promise<SecurityState> {
  const [factors, times, passkeyList, mustChangePassword, passwordExpired, passwordIsShort, knownDevices, remembered] =
    await Promise.all([
      credentials.factorsOf(id),
      store.timesOf(id),
      passkeys.list(id),
      passwordPolicy.mustChange(id),
      passwordPolicy.isExpired(id),
      passwordPolicy.isShortAlone(id),
      devices.listKnown(id),
      devices.listRemembered(id),
    ]);
  const usable = passkeys.usable ? passkeyList.length : 0;
  return {
    factors,
    secondFactor: hasSecondFactor({ ...factors, passkeys: usable }),
    times,
    passkeys: passkeyList,
    passkeysUsable: passkeys.usable,
    mustChangePassword,
    passwordExpired,
    passwordIsShort,
    emailVerified,
    knownDevices,
    rememberedDevices: remembered.length,
  };
}
