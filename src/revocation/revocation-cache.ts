import { concerns, type RevocationKind, type StoredRevocation } from './revocation.ts';
import type { RevocationPage } from './revocation-store.ts';

type Entry = Pick<StoredRevocation, 'revokedAt' | 'expiresAt'>;

/** Longer than any transaction may stay open; after it, a revocation of ours has been read back or was undone. */
const pendingMilliseconds = 30_000;

const keyOf = (kind: RevocationKind, idHash: string): string => `${kind}:${idHash}`;

/** The unexpired revocations in memory, some 200 bytes each. */
export class RevocationCache {
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Map<string, Entry & { readonly until: number }>();
  #sweepAt = 0;

  get size(): number {
    return this.#entries.size + this.#pending.size;
  }

  /** Notes a revocation of this process, which counts at once even while its transaction is open. */
  expect(revocation: StoredRevocation, now: number): void {
    const { revokedAt, expiresAt } = revocation;
    const until = now + pendingMilliseconds;
    this.#pending.set(keyOf(revocation.kind, revocation.idHash), { revokedAt, expiresAt, until });
  }

  /** Takes in what the store has. */
  merge(page: RevocationPage, now: number): void {
    if (page.complete) this.#entries.clear();
    for (const { kind, idHash, revokedAt, expiresAt } of page.rows) {
      this.#entries.set(keyOf(kind, idHash), { revokedAt, expiresAt });
    }
    this.#sweep(now);
  }

  has(kind: RevocationKind, idHash: string, issuedAt: number | undefined, now: number): boolean {
    const key = keyOf(kind, idHash);
    const entry = this.#entries.get(key);
    if (entry && concerns(entry, issuedAt, now)) return true;
    const pending = this.#pending.get(key);
    return pending !== undefined && pending.until > now && concerns(pending, issuedAt, now);
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + pendingMilliseconds;
    for (const [key, { until }] of this.#pending) if (until <= now) this.#pending.delete(key);
    for (const [key, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#entries.delete(key);
  }
}
