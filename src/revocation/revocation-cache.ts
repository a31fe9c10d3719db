import { concerns, type RevocationKind, revocationKinds, type StoredRevocation } from './revocation.ts';
import type { RevocationPage } from './revocation-store.ts';

type Entry = Pick<StoredRevocation, 'revokedAt' | 'expiresAt'>;
type Pending = Entry & { readonly until: number };

/** Longer than any transaction may stay open; after it, a revocation of ours has been read back or was undone. */
const pendingMilliseconds = 30_000;

const mapPerKind = <Value>(): Record<RevocationKind, Map<string, Value>> =>
  Object.fromEntries(revocationKinds.map((kind) => [kind, new Map()])) as Record<RevocationKind, Map<string, Value>>;

/** The unexpired revocations in memory, some 200 bytes each. */
export class RevocationCache {
  readonly #entries = mapPerKind<Entry>();
  readonly #pending = mapPerKind<Pending>();
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

  /** Notes a revocation of this process, which counts at once even while its transaction is open. */
  expect({ kind, idHash, revokedAt, expiresAt }: StoredRevocation, now: number): void {
    const before = this.#pending[kind].get(idHash);
    this.#pending[kind].set(idHash, {
      revokedAt: Math.max(revokedAt, before?.revokedAt ?? 0),
      expiresAt: Math.max(expiresAt, before?.expiresAt ?? 0),
      until: now + pendingMilliseconds,
    });
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
    const pending = this.#pending[kind].get(idHash);
    return pending !== undefined && pending.until > now && concerns(pending, issuedAt, now);
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + pendingMilliseconds;
    for (const kind of revocationKinds) {
      for (const [id, { until }] of this.#pending[kind]) if (until <= now) this.#pending[kind].delete(id);
      for (const [id, { expiresAt }] of this.#entries[kind]) if (expiresAt <= now) this.#entries[kind].delete(id);
    }
  }
}
