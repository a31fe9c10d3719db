import type { Location } from '../locations/index.ts';
import type { RiskSignal } from './risk-policy.ts';
import { isImpossibleTravel } from './travel.ts';

/** What is known of a sign-in when the first door has opened. Times are milliseconds since the epoch. */
export interface SignInFacts {
  readonly now: number;
  /** The account has used this browser or installation before; undefined where it was not asked for, as behind a passkey. */
  readonly deviceKnown: boolean | undefined;
  /** Where the person is now, if the address says. */
  readonly location: Location | undefined;
  /** The last time the person was seen, by any session, if there was one. */
  readonly before: { readonly at: number; readonly location: Location | undefined } | undefined;
  /** Accounts that were tried from this address lately, this one included. */
  readonly accountsAtAddress: number;
  /** Different accounts from one address that are too many. */
  readonly manyAccounts: number;
  /** The address is on the operator's list of bad ones. */
  readonly listed: boolean;
}

/** Those that {@link signInSignals} can find. */
export const signInSignalNames = [
  'new-device',
  'impossible-travel',
  'many-accounts',
  'listed-address',
] as const satisfies readonly RiskSignal[];

/** The signals of a sign-in. The first one of an account comes from a new browser by nature, which says nothing. */
export function signInSignals(facts: SignInFacts): RiskSignal[] {
  const { now, deviceKnown, location, before, accountsAtAddress, manyAccounts, listed } = facts;
  const signals: RiskSignal[] = [];
  if (deviceKnown === false && before !== undefined) signals.push('new-device');
  if (
    location &&
    before?.location &&
    isImpossibleTravel({ at: before.at, location: before.location }, { at: now, location })
  ) {
    signals.push('impossible-travel');
  }
  if (accountsAtAddress >= manyAccounts) signals.push('many-accounts');
  if (listed) signals.push('listed-address');
  return signals;
}
