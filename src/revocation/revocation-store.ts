import type { RevocationKind, StoredRevocation } from './revocation.ts';

/** What a look at the newer rows brought, and where the next one continues. */
export interface RevocationPage {
  readonly rows: readonly StoredRevocation[];
  /** Opaque; every row that is not visible below it yet will be visible above it. */
  readonly watermark: string;
  /** The rows are all there are, because the watermark was of another database. */
  readonly complete: boolean;
}

/** Where revocations are kept. */
export interface RevocationStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Adds it or keeps the later times of both. Resolves to false when it changed nothing. */
  add(revocation: StoredRevocation & { readonly reason: string; readonly by: string }): Promise<boolean>;
  /** Those of these keys that are there, expired or not. */
  find(keys: readonly { readonly kind: RevocationKind; readonly idHash: string }[]): Promise<StoredRevocation[]>;
  /** The rows since a watermark, or all unexpired ones without one. */
  since(watermark: string | undefined, now: number): Promise<RevocationPage>;
  /** Deletes up to `limit` rows that expired before `now` and says how many. */
  purge(now: number, limit: number): Promise<number>;
}
