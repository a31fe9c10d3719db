import { setTimeout as delay } from 'node:timers/promises';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import {
  concerns,
  everythingId,
  type ListedRevocation,
  type RevocationCheck,
  type RevocationKind,
  type StoredRevocation,
} from './revocation.ts';
import { RevocationCache } from './revocation-cache.ts';
import type { RevocationStore } from './revocation-store.ts';

/** The revocations that this process has in memory. */
export interface RevocationStatistics {
  readonly total: number;
  readonly byKind: Readonly<Record<RevocationKind, number>>;
  /** Milliseconds since memory last agreed with the database; absent before the first time. */
  readonly age?: number;
  /** When that was, milliseconds since the epoch. */
  readonly refreshedAt?: number;
}

/** What is not good any more although it has not expired. */
export interface Revocations {
  /**
   * Revokes until `expiresAt` (milliseconds). Doing it again keeps the later times; it is audited again only when it
   * changes something, such as the tokens that an account got meanwhile.
   * @throws AppError `invalid_input` when `before` is in the future: whatever is issued until then would be born dead
   */
  revoke(entry: {
    readonly kind: RevocationKind;
    readonly id: string;
    /** Default: when the longest-lived token of all that is issued now has expired. */
    readonly expiresAt?: number;
    readonly reason: string;
    /** Default: the server itself. */
    readonly by?: Actor;
    /** The moment until which what was issued is revoked, in milliseconds. Default: now. */
    readonly before?: number | undefined;
  }): Promise<void>;
  /** Whether any of these is revoked, as the database has it now. One query by primary key. */
  isRevoked(checks: readonly RevocationCheck[]): Promise<boolean>;
  /** The same from memory: at once for what was revoked here, within a second for other nodes while polling runs. */
  isRevokedCached(checks: readonly RevocationCheck[]): boolean;
  /**
   * When all that this account had was ended last, as the database has it now; 0 when never. Asked before something is
   * shown and once more when it is used, it tells whether the account was taken back in between, whatever clocks say.
   */
  endOf(accountId: string): Promise<number>;
  /**
   * Makes whoever else signs this account in, or takes it back, wait until the transaction at hand ends: each of them sees
   * what the other one did.
   */
  hold(accountId: AccountId): Promise<void>;
  /** Milliseconds since memory last agreed with the database; Infinity before the first time. */
  cacheAge(): number;
  /** What is in memory, counted. */
  statistics(): RevocationStatistics;
  /** How many unexpired ones the database has, of each kind that has any. */
  count(): Promise<Partial<Record<RevocationKind, number>>>;
  /** Unexpired ones, last changed first, 200 at most; `after` is the `cursor` of the last one of the page before. */
  list(filter?: {
    readonly kind?: RevocationKind | undefined;
    readonly id?: string | undefined;
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
  }): Promise<ListedRevocation[]>;
  /** Reads what other nodes revoked since the last time. */
  refresh(): Promise<void>;
  /** Reads soon, because another node said that there is something. However often it is called, the reads keep a distance. */
  hurry(): void;
  /** Calls {@link Revocations.refresh} every second until disposed. A failure is reported and tried again. */
  start(options?: { readonly onError?: (error: unknown) => void }): AsyncDisposable;
  /** Deletes rows that have expired, in batches, and says how many. */
  purge(): Promise<number>;
}

interface Needs {
  readonly store: RevocationStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Seconds that the longest-lived token, grant or sign-in lives. Default: 90 days. */
  readonly longestSeconds?: number;
}

const pollMilliseconds = 1_000;
const hurryMilliseconds = 10;
const pageLimit = 200;
const everythingHash = sha256(everythingId);
const purgeBatch = 1_000;
const system: Actor = { kind: 'system' };

const nameOf = (actor: Actor): string => ('id' in actor ? `${actor.kind}:${actor.id}` : actor.kind);

/** What may be in the log as it is; the id of an opaque token is the token itself. */
const openKinds: ReadonlySet<RevocationKind> = new Set(['account', 'client', 'api', 'everything']);

const hashOf = ({ id, isHash }: RevocationCheck): string => (isHash ? id : sha256(id));

/** The time of the oldest thing that is asked about; `everything` concerns all of them if it concerns any. */
function oldest(checks: readonly RevocationCheck[]): number | undefined {
  const times = checks.flatMap(({ issuedAt }) => (issuedAt === undefined ? [] : [issuedAt]));
  return times.length === 0 ? undefined : Math.min(...times);
}

class RevocationList implements Revocations {
  readonly #needs: Needs;
  readonly #cache = new RevocationCache();
  #watermark: string | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;
  #wanted = false;
  #hurrying = false;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async revoke(entry: Parameters<Revocations['revoke']>[0]): Promise<void> {
    const { store, clock, longestSeconds = 90 * 86_400 } = this.#needs;
    const { kind, id, reason, by = system } = entry;
    const now = clock.now();
    const { expiresAt = now + longestSeconds * 1000, before = now } = entry;
    // A session may have been made by a node whose clock is ahead, and ends for good.
    if (before > now && kind !== 'session') {
      const message = 'The moment is in the future. Give one that has passed.';
      throw new AppError('invalid_input', message, { fields: { before: message } });
    }
    const revocation: StoredRevocation = { kind, idHash: sha256(id), revokedAt: before, expiresAt };
    await store.transaction(async () => {
      const isNew = await store.add({ ...revocation, reason: reason.slice(0, 200), by: nameOf(by) });
      store.whenUndone(this.#cache.expect(revocation, now));
      if (isNew) await this.#record(entry, revocation, before < now);
    });
  }

  async isRevoked(checks: readonly RevocationCheck[]): Promise<boolean> {
    if (checks.length === 0) return false;
    const since = oldest(checks);
    const hashed: (RevocationCheck & { readonly idHash: string })[] = checks.map((check) => ({
      ...check,
      idHash: hashOf(check),
    }));
    if (since !== undefined) {
      hashed.push({ kind: 'everything', id: everythingId, idHash: everythingHash, issuedAt: since });
    }
    const rows = await this.#needs.store.find(hashed);
    const now = this.#needs.clock.now();
    return rows.some((row) =>
      hashed.some(
        ({ kind, idHash, issuedAt }) => kind === row.kind && idHash === row.idHash && concerns(row, issuedAt, now),
      ),
    );
  }

  isRevokedCached(checks: readonly RevocationCheck[]): boolean {
    // A hash costs most of a look-up, and most of the time most installations have nothing to look for.
    if (this.#cache.isEmpty) return false;
    const now = this.#needs.clock.now();
    const since = oldest(checks);
    if (since !== undefined && this.#cache.has('everything', everythingHash, since, now)) return true;
    return checks.some((check) => this.#cache.has(check.kind, hashOf(check), check.issuedAt, now));
  }

  endOf(accountId: string): Promise<number> {
    return this.#needs.store.lastEndOf(sha256(accountId));
  }

  hold(accountId: AccountId): Promise<void> {
    return this.#needs.store.hold(accountId);
  }

  cacheAge(): number {
    return this.#needs.clock.now() - this.#refreshedAt;
  }

  statistics(): RevocationStatistics {
    const byKind = this.#cache.counts();
    const total = Object.values(byKind).reduce((sum, count) => sum + count, 0);
    const refreshedAt = this.#refreshedAt;
    return Number.isFinite(refreshedAt) ? { total, byKind, age: this.cacheAge(), refreshedAt } : { total, byKind };
  }

  count(): Promise<Partial<Record<RevocationKind, number>>> {
    return this.#needs.store.count(this.#needs.clock.now());
  }

  list({ kind, id, after, limit = pageLimit }: Parameters<Revocations['list']>[0] = {}): Promise<ListedRevocation[]> {
    const idHash = id === undefined ? undefined : sha256(id);
    const within = Math.max(1, Math.min(pageLimit, Math.trunc(limit)));
    return this.#needs.store.list({ kind, idHash, after, limit: within }, this.#needs.clock.now());
  }

  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  hurry(): void {
    this.#wanted = true;
    if (this.#hurrying) return;
    this.#hurrying = true;
    // The poll tells of failures, and finds what was missed.
    void this.#catchUp()
      .catch(() => undefined)
      .finally(() => {
        this.#hurrying = false;
      });
  }

  start(options: { readonly onError?: (error: unknown) => void } = {}): AsyncDisposable {
    let stopped = false;
    let timer: NodeJS.Timeout | undefined;
    let running: Promise<void> = Promise.resolve();
    const tick = (): void => {
      running = this.refresh()
        .catch((error: unknown) => options.onError?.(error))
        .then(() => {
          if (!stopped) timer = setTimeout(tick, pollMilliseconds).unref();
        });
    };
    tick();
    return {
      async [Symbol.asyncDispose]() {
        stopped = true;
        clearTimeout(timer);
        await running;
      },
    };
  }

  async purge(): Promise<number> {
    const { store, clock } = this.#needs;
    let total = 0;
    for (;;) {
      const removed = await store.purge(clock.now(), purgeBatch);
      total += removed;
      if (removed < purgeBatch) return total;
    }
  }

  async #catchUp(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      // One that is under way may have looked a moment too early.
      await this.#refreshing?.catch(() => undefined);
      await this.refresh();
      await delay(hurryMilliseconds, undefined, { ref: false });
    }
  }

  async #record(
    { kind, id, reason, by = system }: Parameters<Revocations['revoke']>[0],
    { idHash, revokedAt }: StoredRevocation,
    isEarlier: boolean,
  ): Promise<void> {
    // The end of a session or of an app's access is told by whoever ended it, once, with its account.
    if (kind === 'session' || kind === 'access') return;
    await this.#needs.audit.record({
      type: kind === 'grant' ? 'grant.revoked' : 'token.revoked',
      actor: by,
      outcome: 'success',
      subject: openKinds.has(kind) ? id : idHash,
      details: { kind, reason, ...(isEarlier && { before: new Date(revokedAt).toISOString() }) },
    });
  }

  async #refresh(): Promise<void> {
    const { store, clock } = this.#needs;
    const now = clock.now();
    const page = await store.since(this.#watermark, now);
    this.#cache.merge(page, now);
    this.#watermark = page.watermark;
    this.#refreshedAt = now;
  }
}

/** Makes the revocation list. */
export const createRevocations = (needs: Needs): Revocations => new RevocationList(needs);
