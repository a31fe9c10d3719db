import type { StatusEntry, StatusPlace } from './status-entry.ts';

/** A part of a list from which one node takes places. */
export interface StatusBlock {
  readonly listId: string;
  readonly seed: string;
  readonly block: number;
}

/** Everything that lists are made from, at one moment. */
export interface StatusPicture {
  readonly lists: readonly string[];
  /** The places of live tokens that are not good any more. */
  readonly invalid: readonly StatusPlace[];
}

/** Where lists, the blocks of them that nodes took, and the tokens in them are kept. */
export interface StatusListStore {
  /** Takes a block of the newest list that nobody has; undefined when there is none or another was faster. */
  claimBlock(blocks: number, now: number): Promise<StatusBlock | undefined>;
  createList(list: { readonly id: string; readonly seed: string; readonly createdAt: number }): Promise<void>;
  /** Resolves to false when the place is taken. */
  add(entry: StatusEntry): Promise<boolean>;
  /** What the revocations and clients look like, as a text that changes when they do; it may change without. */
  mark(before: string | undefined): Promise<{ readonly mark: string; readonly changed: boolean }>;
  picture(now: number): Promise<StatusPicture>;
  /** Deletes up to `limit` entries that expired before `now` and says how many. */
  purgeEntries(now: number, limit: number): Promise<number>;
  /** Deletes lists but the newest that have no entries and no block taken since `before`. */
  purgeLists(before: number): Promise<number>;
}
