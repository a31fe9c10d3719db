import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { describeDevice } from './describe-device.ts';
import { type DeviceMeta, hashDevice, type KnownDevice, knownLimit, knownMemory } from './device.ts';
import type { DeviceStore } from './device-store.ts';

/** The browsers that an account has signed in with. */
export interface KnownDevices {
  /**
   * Notes a finished sign-in with this browser. `known` is false for its first one; `first` says that the account had no
   * browser at all, so that nobody needs to hear of a new one. Audited once for each browser, however many come at once.
   * @param wasKnown this sign-in found it among the account's a moment ago: then it is only noted
   */
  seen(
    accountId: AccountId,
    deviceId: string,
    meta: DeviceMeta,
    wasKnown?: boolean,
  ): Promise<{ readonly known: boolean; readonly first: boolean }>;
  /**
   * Whether this account has signed in with this browser in the last 400 days. One look-up by primary key, which is done
   * for names that nobody has too (`undefined`): the time must not tell them apart.
   */
  isKnown(accountId: AccountId | undefined, deviceId: string | undefined): Promise<boolean>;
  /** The browser seen last comes first. */
  listKnown(accountId: AccountId): Promise<KnownDevice[]>;
  /** Makes a browser a stranger again; false when it was one. */
  forgetKnown(accountId: AccountId, deviceHash: string): Promise<boolean>;
}

interface Needs {
  readonly store: DeviceStore;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
}

const nobody = 'nobody';

export const createKnownDevices = ({ store, clock, audit }: Needs): KnownDevices => ({
  seen: (accountId, deviceId, meta, wasKnown = false) =>
    store.transaction(async () => {
      const device = describeDevice(meta.userAgent);
      const sighting = { accountId, deviceHash: hashDevice(deviceId), device, ip: meta.ip, now: clock.now() };
      if (wasKnown) {
        await store.seeAgain(sighting);
        return { known: true, first: false };
      }
      const { isNew, hasOthers } = await store.see(sighting);
      if (!isNew) return { known: true, first: false };
      await store.trim(accountId, knownLimit);
      await audit.record({
        ...meta,
        type: 'device.first_seen',
        actor: { kind: 'account', id: accountId },
        outcome: 'success',
        subject: accountId,
        details: {
          ...(device.browser !== undefined && { browser: device.browser }),
          ...(device.os !== undefined && { os: device.os }),
          first: !hasOthers,
        },
      });
      return { known: false, first: !hasOthers };
    }),

  isKnown: (accountId, deviceId) =>
    store.isKnown(accountId ?? nobody, hashDevice(deviceId ?? nobody), clock.now() - knownMemory),
  listKnown: (accountId) => store.list(accountId, clock.now() - knownMemory),
  forgetKnown: (accountId, deviceHash) => store.forget(accountId, deviceHash),
});
