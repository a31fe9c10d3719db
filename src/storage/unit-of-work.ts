import { AsyncLocalStorage } from 'node:async_hooks';
import type { Knex } from 'knex';

/** What one request does to the stores, so that it happens as a whole or not at all. */
export interface UnitOfWork {
  /** When the request arrived, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Opened by the first `database.join()`, never by a read. */
  transaction?: Promise<Knex.Transaction>;
  /** Writes that nobody awaits (events), to be settled before the commit. */
  readonly enlisted: Promise<unknown>[];
  /** Set when a store could not be reached, so that the answer is 503 and not 500. */
  storeFailure?: unknown;
  /** Facts that one store call leaves for a later one of the same request. */
  readonly notes: Map<string, unknown>;
  /** Work for stores without transactions: runs once, after the request's own work and before the answer. */
  readonly beforeCommit: (() => Promise<void>)[];
  /** Undoes what such stores have claimed, when nothing of the request is kept. Failures are ignored: claims expire. */
  readonly onRollback: (() => Promise<void>)[];
}

export const unitOfWork = new AsyncLocalStorage<UnitOfWork>();

/** The unit of work of this call chain, if there is one. */
export const currentUnitOfWork = (): UnitOfWork | undefined => unitOfWork.getStore();

/** Makes a unit of work that nothing has joined yet. */
export const newUnitOfWork = (startedAt: number): UnitOfWork => ({
  startedAt,
  enlisted: [],
  notes: new Map(),
  beforeCommit: [],
  onRollback: [],
});
