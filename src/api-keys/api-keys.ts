import type { Actor } from '../audit/index.ts';
import type { AccountId } from '../shared/ids.ts';
import type { ApiKey, KeyOwner, LiveApiKey, NewApiKey } from './api-key.ts';
import type { KeyPlace } from './api-key-store.ts';
import { createApiKey } from './create-api-key.ts';
import { day, eventOf, type KeyContext, type KeyMode, type KeyParts } from './parts.ts';
import { getOwn, type RotateOptions, rotateApiKey } from './rotate-api-key.ts';
import { findLiveKey, verifyKeyText } from './use-api-key.ts';

/** A key and its text, which is shown now and never again. */
export interface IssuedKey {
  readonly key: ApiKey;
  readonly text: string;
}

/** Keys that services and scripts show in the place of a token. Every change is audited in the same transaction. */
export interface ApiKeys {
  readonly mode: KeyMode;
  /**
   * @param options.strong whether a person who makes one for themselves has shown the second factor
   * @throws AppError `forbidden`, `invalid_input`, `not_found`, `conflict`.
   */
  create(
    input: NewApiKey,
    by: Actor,
    options?: { readonly context?: KeyContext | undefined; readonly strong?: boolean | undefined },
  ): Promise<IssuedKey>;
  /** Newest first, 100 at most, also those that are over; `after` is the last one of the page before. */
  list(page?: {
    readonly owner?: KeyOwner | undefined;
    readonly limit?: number | undefined;
    readonly after?: KeyPlace | undefined;
  }): Promise<ApiKey[]>;
  /** A key, also one that is over. */
  find(id: string): Promise<ApiKey | undefined>;
  /** @throws AppError `not_found`, `forbidden`, `invalid_input`, `conflict`. */
  rotate(id: string, by: Actor, options: RotateOptions): Promise<IssuedKey>;
  /** Ends it at once, on every node. Twice changes nothing. @throws AppError `not_found`. */
  revoke(
    id: string,
    by: Actor,
    options?: { readonly owner?: KeyOwner | undefined; readonly context?: KeyContext | undefined },
  ): Promise<void>;
  /** Ends every key of an account, and says how many. */
  revokeAllOf(accountId: AccountId, by: Actor): Promise<number>;
  /**
   * Ends every key with a secret that was made until `before` (milliseconds), and says how many; of keys that were rotated
   * since, only the secret before. It goes with a revocation of `everything` or of an `api`, which does not last as long as a key.
   */
  revokeIssuedBefore(
    which: { readonly before: number; readonly audience?: string | undefined; readonly reason: string },
    by: Actor,
  ): Promise<number>;
  /** What this text opens now: read from the database each time, so that an end counts at once. */
  verify(text: string): Promise<LiveApiKey | undefined>;
  /** The key with this id, if it is good now and so is its text with this mark, for what was made from that; without a mark: any. */
  findLive(id: string, mark?: string): Promise<LiveApiKey | undefined>;
  /** Writes down the uses since the last time. Once a minute is meant; until then they are in memory. */
  noteUses(): Promise<number>;
  /** Deletes what was over 90 days ago, in batches, and says how many. */
  purge(): Promise<number>;
}

const pageLimit = 100;
const batch = 1000;
const kept = 90 * day;

/** Makes the API keys domain. */
export function createApiKeys(parts: KeyParts): ApiKeys {
  const { store, clock, audit, mode } = parts;
  const uses = new Map<string, number>();

  const writeUses = async (written: ReadonlyMap<string, number>): Promise<void> =>
    store.transaction(async () => {
      for (const id of await store.noteUses(written)) {
        const found = await store.find(id);
        if (found) await audit.record(eventOf('api_key.used_first', found.key, found.key.owner));
      }
    });

  return {
    mode,
    create: (input, by, options = {}) => createApiKey(parts, input, by, options),

    list({ owner, limit = pageLimit, after } = {}) {
      return store.list({ owner, after, limit: Math.max(1, Math.min(pageLimit, Math.trunc(limit))) });
    },

    find: async (id) => (await store.find(id))?.key,

    rotate: (id, by, options) => rotateApiKey(parts, id, by, options),

    async revoke(id, by, { owner, context } = {}) {
      const { key } = await getOwn(parts, id, owner);
      await store.transaction(async () => {
        const [ended] = await store.revoke({ id }, clock.now());
        if (ended) await audit.record(eventOf('api_key.revoked', key, by, { context }));
      });
    },

    revokeAllOf: (accountId, by) =>
      store.transaction(async () => {
        const ended = await store.revoke({ accountId }, clock.now());
        for (const key of ended) await audit.record(eventOf('api_key.revoked', key, by));
        return ended.length;
      }),

    revokeIssuedBefore: ({ before, audience, reason }, by) =>
      store.transaction(async () => {
        const ended = await store.revoke({ issuedBefore: before, audience }, clock.now());
        for (const key of ended) await audit.record(eventOf('api_key.revoked', key, by, { details: { reason } }));
        return ended.length;
      }),

    async verify(text) {
      const live = await verifyKeyText(parts, text);
      if (live) uses.set(live.key.id, clock.now());
      return live;
    },

    findLive: (id, mark) => findLiveKey(parts, id, mark),

    async noteUses() {
      const written = new Map(uses);
      uses.clear();
      if (written.size === 0) return 0;
      try {
        await writeUses(written);
      } catch (error) {
        for (const [id, at] of written) if (!uses.has(id)) uses.set(id, at);
        throw error;
      }
      return written.size;
    },

    async purge() {
      let total = 0;
      for (let removed = batch; removed === batch; total += removed) {
        removed = await store.purge(clock.now() - kept, batch);
      }
      return total;
    },
  };
}
