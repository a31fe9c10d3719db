import { concerns, type RevocationKind, revocationKinds, type StoredRevocation } from './revocation.ts';
import type { RevocationPage } from './revocation-store.ts';

type Entry = Pick<StoredRevocation, 'revokedAt' | 'expiresAt'>;
type Pending = Entry & { readonly until: number };
type PendingOf = Map<string, Set<Pending>>;

/** Longer than any transaction may stay open; after it, a revocation of ours has been read back or was undone. */
const pendingMilliseconds = 30_000;

const mapPerKind = <Value>(): Record<RevocationKind, Map<string, Value>> =>
  Object.fromEntries(revocationKinds.map((kind) => [kind, new Map()])) as Record<RevocationKind, Map<string, Value>>;

/** The unexpired revocations in memory, some 200 bytes each. */
export class RevocationCache {
  readonly #entries = mapPerKind<Entry>();
  readonly #pending: Record<RevocationKind, PendingOf> = mapPerKind<Set<Pending>>();
  #sweepAt = 0;

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return revocationKinds.every((kind) => this.#entries[kind].size === 0 && this.#pending[kind].size === 0);
  }

  /** How many there are of each kind; those that expired within the last half minute may be counted. */
  counts(): Record<RevocationKind, number> {
    const count = (kind: RevocationKind): number => {
      const entries = this.#entries[kind];
      return entries.size + [...this.#pending[kind].keys()].filter((id) => !entries.has(id)).length;
    };
    return Object.fromEntries(revocationKinds.map((kind) => [kind, count(kind)])) as Record<RevocationKind, number>;
  }

  /**
   * Notes a revocation of this process, which counts at once even while its transaction is open. Returns what takes it
   * back when that transaction is rolled back: an ending that never was must not end what comes after it.
   */
  expect({ kind, idHash, revokedAt, expiresAt }: StoredRevocation, now: number): () => void {
    const pending = this.#pending[kind];
    const entry: Pending = { revokedAt, expiresAt, until: now + pendingMilliseconds };
    const others = pending.get(idHash);
    if (others) others.add(entry);
    else pending.set(idHash, new Set([entry]));
    return () => this.#drop(pending, idHash, entry);
  }

  /** Takes in what the store has. */
  merge(page: RevocationPage, now: number): void {
    if (page.complete) for (const kind of revocationKinds) this.#entries[kind].clear();
    // A node of a later release may know kinds that this one does not.
    for (const { kind, idHash, revokedAt, expiresAt } of page.rows) {
      this.#entries[kind]?.set(idHash, { revokedAt, expiresAt });
    }
    this.#sweep(now);
  }

  has(kind: RevocationKind, idHash: string, issuedAt: number | undefined, now: number): boolean {
    const entry = this.#entries[kind].get(idHash);
    if (entry && concerns(entry, issuedAt, now)) return true;
    for (const pending of this.#pending[kind].get(idHash) ?? []) {
      if (pending.until > now && concerns(pending, issuedAt, now)) return true;
    }
    return false;
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + pendingMilliseconds;
    for (const kind of revocationKinds) {
      for (const [id, all] of this.#pending[kind]) {
        for (const entry of all) if (entry.until <= now) this.#drop(this.#pending[kind], id, entry);
      }
      for (const [id, { expiresAt }] of this.#entries[kind]) if (expiresAt <= now) this.#entries[kind].delete(id);
    }
  }

  #drop(pending: PendingOf, idHash: string, entry: Pending): void {
    const all = pending.get(idHash);
    if (all?.delete(entry) && all.size === 0) pending.delete(idHash);
  }
}
