import type { Knex } from 'knex';
import { isDatabaseUnavailable } from './away.ts';
import { SqlTransaction } from './transaction.ts';
import { currentUnitOfWork, newUnitOfWork, type UnitOfWork, unitOfWork } from './unit-of-work.ts';

/** What was claimed in other stores is given back, also when it is this database that failed: they refuse the unit then. */
async function undoAll({ onRollback, storeFailure }: UnitOfWork): Promise<void> {
  const undone = (): Promise<unknown> => Promise.allSettled(onRollback.map((undo) => undo()));
  await (isDatabaseUnavailable(storeFailure) ? unitOfWork.exit(undone) : undone());
}

/** Runs units of work on a pool, for `Database`. */
export function createUnits(pool: Knex) {
  const opening = new WeakMap<UnitOfWork, Promise<SqlTransaction>>();
  const open = new WeakMap<UnitOfWork, SqlTransaction>();

  const finish = async (unit: UnitOfWork, keep: boolean): Promise<void> => {
    if (!keep) await undoAll(unit);
    const transaction = await unit.transaction;
    open.delete(unit);
    if (!transaction) return;
    if (!keep) return transaction.rollback();
    await transaction.commit().catch(async (error: unknown) => {
      // What was refused is not kept; of a connection that broke nobody knows.
      if (!isDatabaseUnavailable(error)) await undoAll(unit);
      throw error;
    });
  };

  const settle = async (unit: UnitOfWork, keep: boolean): Promise<void> => {
    try {
      await Promise.all(unit.enlisted);
      for (const work of unit.deferred) await work();
      if (keep) for (const step of unit.beforeCommit) await step();
    } catch (error) {
      await finish(unit, false).catch(() => undefined);
      throw error;
    }
    await finish(unit, keep);
  };

  const workAndSettle = async <T>(
    unit: UnitOfWork,
    work: (unit: UnitOfWork) => Promise<T>,
    keep: (result: T) => boolean,
  ): Promise<{ readonly result: T; readonly kept: boolean }> => {
    let result: T;
    try {
      result = await work(unit);
    } catch (error) {
      await settle(unit, false).catch(() => undefined);
      throw error;
    }
    const kept = keep(result);
    await settle(unit, kept);
    return { result, kept };
  };

  return {
    /** The transaction of this call chain, once it has one. */
    current(): SqlTransaction | undefined {
      const unit = currentUnitOfWork();
      return unit && open.get(unit);
    },

    /** As `join` of `Database`. */
    async join(): Promise<void> {
      const unit = currentUnitOfWork();
      if (!unit || open.has(unit)) return;
      const transaction = opening.get(unit) ?? SqlTransaction.open(pool);
      opening.set(unit, transaction);
      unit.transaction = transaction;
      open.set(unit, await transaction);
    },

    /** As `unitOfWork` of `Database`, which began at `startedAt`, and of which `isAwaited` says whether somebody waits for its answer. */
    async run<T>(
      { startedAt, isAwaited }: Pick<UnitOfWork, 'startedAt' | 'isAwaited'>,
      work: (unit: UnitOfWork) => Promise<T>,
      keep: (result: T) => boolean,
    ): Promise<T> {
      const unit = newUnitOfWork(startedAt, { isAwaited, within: currentUnitOfWork() });
      const done = await unitOfWork
        .run(unit, () => workAndSettle(unit, work, keep))
        .finally(() => {
          unit.isOver = true;
          for (const tell of unit.whenOver) tell();
        });
      if (done.kept && unit.afterCommit.length > 0) {
        await unitOfWork.exit(async () => {
          for (const tell of unit.afterCommit) await tell();
        });
      }
      return done.result;
    },
  };
}
