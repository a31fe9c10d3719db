import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { concerns, type RevocationCheck, type RevocationKind, type StoredRevocation } from './revocation.ts';
import { RevocationCache } from './revocation-cache.ts';
import type { RevocationStore } from './revocation-store.ts';

/** What is not good any more although it has not expired. */
export interface Revocations {
  /**
   * Revokes until `expiresAt` (milliseconds). Doing it again keeps the later times; it is audited again only when it
   * changes something, such as the tokens that an account got meanwhile.
   */
  revoke(entry: {
    readonly kind: RevocationKind;
    readonly id: string;
    readonly expiresAt: number;
    readonly reason: string;
    /** Default: the server itself. */
    readonly by?: Actor;
  }): Promise<void>;
  /** Whether any of these is revoked, as the database has it now. One query by primary key. */
  isRevoked(checks: readonly RevocationCheck[]): Promise<boolean>;
  /** The same from memory: at once for what was revoked here, within a second for other nodes while polling runs. */
  isRevokedCached(checks: readonly RevocationCheck[]): boolean;
  /** Milliseconds since memory last agreed with the database; Infinity before the first time. */
  cacheAge(): number;
  /** Reads what other nodes revoked since the last time. */
  refresh(): Promise<void>;
  /** Calls {@link Revocations.refresh} every second until disposed. A failure is reported and tried again. */
  start(options?: { readonly onError?: (error: unknown) => void }): AsyncDisposable;
  /** Deletes rows that have expired, in batches, and says how many. */
  purge(): Promise<number>;
}

interface Needs {
  readonly store: RevocationStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
}

const pollMilliseconds = 1_000;
const purgeBatch = 1_000;
const system: Actor = { kind: 'system' };

const nameOf = (actor: Actor): string => ('id' in actor ? `${actor.kind}:${actor.id}` : actor.kind);

class RevocationList implements Revocations {
  readonly #needs: Needs;
  readonly #cache = new RevocationCache();
  #watermark: string | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async revoke(entry: Parameters<Revocations['revoke']>[0]): Promise<void> {
    const { store, clock, audit } = this.#needs;
    const { kind, id, expiresAt, reason, by = system } = entry;
    const revocation: StoredRevocation = { kind, idHash: sha256(id), revokedAt: clock.now(), expiresAt };
    await store.transaction(async () => {
      if (!(await store.add({ ...revocation, reason: reason.slice(0, 200), by: nameOf(by) }))) return;
      // The end of a session or of an app's access is told by whoever ended it, once, with its account.
      if (kind === 'session' || kind === 'access') return;
      await audit.record({
        type: kind === 'grant' ? 'grant.revoked' : 'token.revoked',
        actor: by,
        outcome: 'success',
        // The id of an opaque token is the token itself, so the log gets its hash.
        subject: kind === 'account' || kind === 'client' ? id : revocation.idHash,
        details: { kind, reason },
      });
    });
    this.#cache.expect(revocation, clock.now());
  }

  async isRevoked(checks: readonly RevocationCheck[]): Promise<boolean> {
    if (checks.length === 0) return false;
    const hashed = checks.map((check) => ({ ...check, idHash: sha256(check.id) }));
    const rows = await this.#needs.store.find(hashed);
    const now = this.#needs.clock.now();
    return rows.some((row) =>
      hashed.some(
        ({ kind, idHash, issuedAt }) => kind === row.kind && idHash === row.idHash && concerns(row, issuedAt, now),
      ),
    );
  }

  isRevokedCached(checks: readonly RevocationCheck[]): boolean {
    const now = this.#needs.clock.now();
    return checks.some(({ kind, id, issuedAt }) => this.#cache.has(kind, sha256(id), issuedAt, now));
  }

  cacheAge(): number {
    return this.#needs.clock.now() - this.#refreshedAt;
  }

  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
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
