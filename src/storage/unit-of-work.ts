import { AsyncLocalStorage } from 'node:async_hooks';

/** The transaction of a unit of work, as far as others may know it. */
export interface UnitTransaction {
  /** Whether it was committed or rolled back. */
  isCompleted(): boolean;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** What one request does to the stores, so that it happens as a whole or not at all. */
export interface UnitOfWork {
  /** When the request arrived, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The one that it began in and is no part of: what is away for this one is away for that one. */
  readonly within?: UnitOfWork | undefined;
  /** Whether somebody waits for its answer, as for a request's. */
  readonly isAwaited: boolean;
  /** Opened by the first `database.join()`, never by a read. */
  transaction?: Promise<UnitTransaction>;
  /** Writes under way that nobody awaits, to be settled before the commit. They take no lock that others want. */
  readonly enlisted: Promise<unknown>[];
  /**
   * Work that the events of a request ask for: run one after another when its own work is done, in its transaction when
   * it has one. At once and beside it they would wait for its locks while it waits for them.
   */
  readonly deferred: (() => Promise<unknown>)[];
  /** Set when a store could not be reached, so that the answer is 503 and not 500. */
  storeFailure?: unknown;
  /** Set when the database let it wait until it gave up. It is asked nothing more. */
  waitedInVain?: unknown;
  /** Set when its answer stands. */
  isOver?: true;
  /** Facts that one store call leaves for a later one of the same request. */
  readonly notes: Map<string, unknown>;
  /** Work for stores without transactions: runs once, after the request's own work and before the answer. */
  readonly beforeCommit: (() => Promise<void>)[];
  /** Undoes what such stores have claimed, when nothing of the request is kept. Failures are ignored: claims expire. */
  readonly onRollback: (() => Promise<void>)[];
  /** What others are told of it; outside of its transaction, whose locks they might wait for. It must not fail. */
  readonly afterCommit: (() => Promise<void>)[];
  /** Told when it is over, however that came about. It must not fail. */
  readonly whenOver: (() => void)[];
}

export const unitOfWork = new AsyncLocalStorage<UnitOfWork>();

/** The unit of work of this call chain, if there is one. */
export const currentUnitOfWork = (): UnitOfWork | undefined => unitOfWork.getStore();

/** Whether somebody waits for the answer to what this call chain does. */
export function isAwaited(): boolean {
  for (let unit = currentUnitOfWork(); unit; unit = unit.within) if (unit.isAwaited && !unit.isOver) return true;
  return false;
}

/** Makes a unit of work that nothing has joined yet. */
export const newUnitOfWork = (
  startedAt: number,
  { isAwaited = false, within }: Partial<Pick<UnitOfWork, 'isAwaited' | 'within'>> = {},
): UnitOfWork => ({
  startedAt,
  isAwaited,
  within,
  enlisted: [],
  deferred: [],
  notes: new Map(),
  beforeCommit: [],
  onRollback: [],
  afterCommit: [],
  whenOver: [],
});

/** Does this when what the request at hand writes is kept, before its answer leaves; without a unit of work, now. */
export async function afterCommit(work: () => Promise<void>): Promise<void> {
  const unit = unitOfWork.getStore();
  if (!unit) return work();
  unit.afterCommit.push(work);
}

/** Does this when the request at hand is over, however it ended; without a unit of work, now. */
export function whenOver(work: () => void): void {
  const unit = unitOfWork.getStore();
  if (unit && !unit.isOver) unit.whenOver.push(work);
  else work();
}

/** Lets the request at hand do this at its end and fail with it; without one it is done now, and a failure is told. */
export function atTheEnd(work: () => Promise<unknown>, onError: (error: unknown) => void): void {
  const unit = unitOfWork.getStore();
  if (!unit) return void work().catch(onError);
  unit.deferred.push(async () => {
    try {
      await work();
    } catch (error) {
      onError(error);
      throw error;
    }
  });
}
