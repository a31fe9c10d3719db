import type { Actor } from '../audit/index.ts';
import { sha256 } from '../shared/crypto.ts';
import type { AccountId } from '../shared/ids.ts';
import type { DeviceDescription } from './describe-device.ts';

/** From where a device was seen. */
export interface DeviceMeta {
  readonly userAgent?: string;
  readonly ip?: string;
  readonly requestId?: string;
}

/** A browser that an account has signed in with. Times are milliseconds since the epoch. */
export interface KnownDevice extends DeviceDescription {
  /** SHA-256 of the device id, base64url; it equals `deviceHash` of a session of the same browser. */
  readonly deviceHash: string;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly lastIp?: string;
}

/** A browser that is not asked for the second factor for a while. Times are milliseconds since the epoch. */
export interface RememberedDevice extends DeviceDescription {
  /** Public handle; it opens nothing. */
  readonly id: string;
  readonly accountId: AccountId;
  readonly deviceHash: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly lastIp?: string;
}

/** Who forgets a device, and why. */
export interface Forgetting {
  readonly by: Actor;
  readonly reason: string;
  readonly meta?: DeviceMeta;
}

/** How a device id is kept: nobody who reads the database can put it into a cookie. */
export const hashDevice = (deviceId: string): string => sha256(`device ${deviceId}`);

/** Devices that one account may have remembered; one more pushes the least recently used one out. */
export const rememberedLimit = 10;

/** Known browsers that are kept for one account; the ones seen longest ago go first. */
export const knownLimit = 100;

/** Milliseconds after which a browser that did not come back is forgotten: as long as browsers keep a cookie. */
export const knownMemory = 400 * 86_400_000;

/** Milliseconds that the token before the present one is still taken, for tabs that came at the same moment. */
export const tabGrace = 30_000;

export const dayMilliseconds = 86_400_000;
