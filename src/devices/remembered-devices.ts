import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { type AccountId, randomSecret, randomText } from '../shared/ids.ts';
import { describeDevice } from './describe-device.ts';
import {
  type DeviceMeta,
  dayMilliseconds,
  type Forgetting,
  hashDevice,
  type RememberedDevice,
  rememberedLimit,
  tabGrace,
} from './device.ts';
import type { RememberedRow, RememberedStore, ShownToken } from './remembered-store.ts';

/** What a browser's token is worth at the second door. */
export type RememberedUse =
  /** `token` goes into the cookie in the place of the old one; absent when another tab has got it already. */
  | { readonly remembered: true; readonly token?: string }
  /** `clear`: the cookie is worth nothing any more. */
  | { readonly remembered: false; readonly clear: boolean };

/** The browsers that a person does not want to be asked for the second factor on. */
export interface RememberedDevices {
  /** Days that a browser may be remembered; 0 when the installation does not want that. */
  readonly rememberDays: number;
  /**
   * Remembers this browser after its second factor was right, in the place of an earlier time. The token is for its cookie
   * and shown only here; undefined when the installation does not want it.
   */
  remember(accountId: AccountId, deviceId: string, meta: DeviceMeta): Promise<string | undefined>;
  /** Whether {@link RememberedDevices.useRemembered} would say yes now. It changes nothing and is no second factor. */
  isRemembered(accountId: AccountId, deviceId: string | undefined, token: string | undefined): Promise<boolean>;
  /**
   * Takes a token in the place of the second factor and replaces it. A token that was replaced before is a copy of the
   * cookie, except for half a minute: the device is forgotten then, for both who have it, and that is audited.
   */
  useRemembered(
    accountId: AccountId,
    deviceId: string | undefined,
    token: string | undefined,
    meta: DeviceMeta,
  ): Promise<RememberedUse>;
  /** Most recently used first. */
  listRemembered(accountId: AccountId): Promise<RememberedDevice[]>;
  /** Forgets one by its handle; false when the account has none such. */
  forget(accountId: AccountId, id: string, how: Forgetting): Promise<boolean>;
  /** Forgets all of them, as a change of password or factors demands, and says how many. */
  forgetAll(accountId: AccountId, how: Forgetting): Promise<number>;
}

interface Needs {
  readonly store: RememberedStore;
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly rememberDays: number;
}

const soundToken = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

class RememberedList implements RememberedDevices {
  readonly rememberDays: number;
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.rememberDays = needs.rememberDays;
  }

  get #life(): number {
    return this.rememberDays * dayMilliseconds;
  }

  async remember(accountId: AccountId, deviceId: string, meta: DeviceMeta): Promise<string | undefined> {
    if (this.rememberDays === 0) return undefined;
    const { store, transaction, clock } = this.#needs;
    const [family, secret] = [randomSecret(), randomSecret()];
    const now = clock.now();
    const row: RememberedRow = {
      id: `dev_${randomText(20)}`,
      accountId,
      deviceHash: hashDevice(deviceId),
      createdAt: now,
      lastUsedAt: now,
      ...describeDevice(meta.userAgent),
      ...(meta.ip !== undefined && { lastIp: meta.ip }),
    };
    await transaction(async () => {
      await store.add({ ...row, familyHash: sha256(family), tokenHash: sha256(secret) }, rememberedLimit);
      await this.#record('device.remembered', row, { by: { kind: 'account', id: accountId }, reason: '', meta });
    });
    return `${family}.${secret}`;
  }

  async isRemembered(accountId: AccountId, deviceId?: string, token?: string): Promise<boolean> {
    const shown = this.#read(accountId, deviceId, token);
    return shown !== undefined && this.#needs.store.matches(shown, this.#needs.clock.now() - tabGrace);
  }

  async useRemembered(
    accountId: AccountId,
    deviceId: string | undefined,
    token: string | undefined,
    meta: DeviceMeta,
  ): Promise<RememberedUse> {
    const { store, transaction, clock } = this.#needs;
    const shown = this.#read(accountId, deviceId, token);
    if (!shown) return { remembered: false, clear: token !== undefined };
    const [family = ''] = (token ?? '').split('.');
    const secret = randomSecret();
    const now = clock.now();
    if (await store.rotate(shown, { nextHash: sha256(secret), ip: meta.ip, now })) {
      return { remembered: true, token: `${family}.${secret}` };
    }
    if (await store.matches(shown, now - tabGrace)) return { remembered: true };
    await transaction(async () => {
      const row = await store.forgetFamily(accountId, shown.familyHash);
      // Whoever has the family had the cookie once; a strange or used token in it means that there are two of them.
      if (row && row.createdAt > shown.since) {
        await this.#record('device.copied', row, { by: { kind: 'stranger' }, reason: 'its cookie was copied', meta });
      }
    });
    return { remembered: false, clear: true };
  }

  async listRemembered(accountId: AccountId): Promise<RememberedDevice[]> {
    const { store, clock } = this.#needs;
    const rows = await store.list(accountId, clock.now() - this.#life);
    return rows.map((row) => ({ ...row, expiresAt: row.createdAt + this.#life }));
  }

  async forget(accountId: AccountId, id: string, how: Forgetting): Promise<boolean> {
    return (await this.#forget(accountId, how, id)) > 0;
  }

  forgetAll(accountId: AccountId, how: Forgetting): Promise<number> {
    return this.#forget(accountId, how);
  }

  #forget(accountId: AccountId, how: Forgetting, id?: string): Promise<number> {
    const { store, transaction } = this.#needs;
    return transaction(async () => {
      const rows = await store.forget(accountId, id);
      for (const row of rows) await this.#record('device.forgotten', row, how);
      return rows.length;
    });
  }

  #read(accountId: AccountId, deviceId?: string, token?: string): ShownToken | undefined {
    const [, family, secret] = soundToken.exec(token ?? '') ?? [];
    if (this.rememberDays === 0 || deviceId === undefined || !family || !secret) return undefined;
    return {
      accountId,
      deviceHash: hashDevice(deviceId),
      familyHash: sha256(family),
      tokenHash: sha256(secret),
      since: this.#needs.clock.now() - this.#life,
    };
  }

  #record(
    type: 'device.remembered' | 'device.forgotten' | 'device.copied',
    row: RememberedRow,
    { by, reason, meta = {} }: Forgetting,
  ): Promise<void> {
    return this.#needs.audit.record({
      ...meta,
      type,
      actor: by,
      outcome: type === 'device.copied' ? 'failure' : 'success',
      subject: row.accountId,
      details: {
        device: row.id,
        ...(reason !== '' && { reason }),
        ...(row.browser !== undefined && { browser: row.browser }),
        ...(row.os !== undefined && { os: row.os }),
      },
    });
  }
}

export const createRememberedDevices = (needs: Needs): RememberedDevices => new RememberedList(needs);
