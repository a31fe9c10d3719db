import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { dayMilliseconds, knownMemory } from './device.ts';
import type { DeviceStore } from './device-store.ts';
import { createKnownDevices, type KnownDevices } from './known-devices.ts';
import { createRememberedDevices, type RememberedDevices } from './remembered-devices.ts';
import type { RememberedStore } from './remembered-store.ts';

/** Browsers, by the stable id in their device cookie. */
export interface Devices extends KnownDevices, RememberedDevices {
  /** Deletes what nobody needs any more, in batches, and says how many rows. */
  purge(): Promise<number>;
}

interface Needs {
  readonly store: DeviceStore;
  readonly remembered: RememberedStore;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly policy: {
    /** Days that a browser may be remembered for the second factor; 0 turns that off. */
    readonly rememberDays: number;
  };
}

const batch = 1000;

/** Makes the devices domain. */
export function createDevices({ store, remembered, clock, audit, policy: { rememberDays } }: Needs): Devices {
  const known = createKnownDevices({ store, clock, audit });
  const trusted = createRememberedDevices({
    store: remembered,
    transaction: (work) => store.transaction(work),
    clock,
    audit,
    rememberDays,
  });
  return {
    rememberDays,
    seen: known.seen,
    isKnown: known.isKnown,
    listKnown: known.listKnown,
    forgetKnown: known.forgetKnown,
    remember: (accountId, deviceId, meta) => trusted.remember(accountId, deviceId, meta),
    isRemembered: (accountId, deviceId, token) => trusted.isRemembered(accountId, deviceId, token),
    useRemembered: (accountId, deviceId, token, meta) => trusted.useRemembered(accountId, deviceId, token, meta),
    listRemembered: (accountId) => trusted.listRemembered(accountId),
    forget: (accountId, id, how) => trusted.forget(accountId, id, how),
    forgetAll: (accountId, how) => trusted.forgetAll(accountId, how),
    async purge() {
      const now = clock.now();
      let total = 0;
      for (const remove of [
        () => store.purge(now - knownMemory, batch),
        () => remembered.purge(now - rememberDays * dayMilliseconds, batch),
      ]) {
        let removed = batch;
        while (removed === batch) {
          removed = await remove();
          total += removed;
        }
      }
      return total;
    },
  };
}
