import type { AccountId } from '../shared/ids.ts';
import type { ListedRevocation, RevocationKind, StoredRevocation } from './revocation.ts';

/** What a look at the newer rows brought, and where the next one continues. */
export interface RevocationPage {
  readonly rows: readonly StoredRevocation[];
  /** Opaque; every row that is not visible below it yet will be visible above it. */
  readonly watermark: string;
  /** The rows are all there are, because the watermark was of another database. */
  readonly complete: boolean;
}

/** Which revocations to list. */
export interface RevocationFilter {
  readonly kind?: RevocationKind | undefined;
  readonly idHash?: string | undefined;
  /** `cursor` of the last one of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Where revocations are kept. */
export interface RevocationStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Calls `undo` when the transaction at hand is rolled back. */
  whenUndone(undo: () => void): void;
  /** Adds it or keeps the later times of both, and tells the other nodes. Resolves to false when it changed nothing. */
  add(revocation: StoredRevocation & { readonly reason: string; readonly by: string }): Promise<boolean>;
  /** Those of these keys that are there, expired or not. */
  find(keys: readonly { readonly kind: RevocationKind; readonly idHash: string }[]): Promise<StoredRevocation[]>;
  /** When an account was revoked last, milliseconds; 0 when it never was. It may go together with other statements. */
  lastEndOf(idHash: string): Promise<number>;
  /** See `hold` of the domain. */
  hold(accountId: AccountId): Promise<void>;
  /** The rows since a watermark, or all unexpired ones without one. */
  since(watermark: string | undefined, now: number): Promise<RevocationPage>;
  /** Unexpired ones, last changed first. */
  list(filter: RevocationFilter, now: number): Promise<ListedRevocation[]>;
  /** How many unexpired ones there are of each kind that has any. */
  count(now: number): Promise<Partial<Record<RevocationKind, number>>>;
  /** Deletes up to `limit` rows that expired before `now` and says how many. */
  purge(now: number, limit: number): Promise<number>;
}
