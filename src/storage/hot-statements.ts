import { AsyncLocalStorage } from 'node:async_hooks';
import type { Knex } from 'knex';
import { codeOf } from '../shared/errors.ts';
import { type Call, encode, type SqlValue, type Statement } from './statement.ts';
import { type SqlTransaction, sendThrough } from './transaction.ts';

/** A plan that a change of its table made useless, or that the connection has lost. */
const isStalePlan = (error: unknown): boolean => ['0A000', '26000'].includes(codeOf(error));

/** Statements that leave in one round trip, until it has left. */
interface Batch {
  readonly calls: Call[];
  sent: boolean;
}

/** The way past the query builder, for `Database`: in the transaction of the call chain when it has one, else through the pool. */
export function createHotStatements(current: () => SqlTransaction | undefined, pool: Knex) {
  const batches = new AsyncLocalStorage<Batch>();

  const openBatch = (): Batch | undefined => {
    const batch = batches.getStore();
    if (batch?.sent) throw new Error('A query came after the others of its round trip had left.');
    return batch;
  };

  const dispatch = async (calls: readonly Call[]): Promise<void> => {
    const transaction = current();
    try {
      if (transaction) await transaction.send(calls);
      else {
        await sendThrough(pool, calls).catch((error: unknown) => {
          // Inside a transaction nothing can be repeated: it is broken already.
          if (!isStalePlan(error)) throw error;
          return sendThrough(pool, calls);
        });
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  };

  const nobody = (): void => undefined;

  /** The statements that `work` asks for, none of which has left. */
  const gather = <T>(work: () => Promise<T>): { readonly calls: readonly Call[]; readonly result: Promise<T> } => {
    const batch: Batch = { calls: [], sent: false };
    const result = batches.run(batch, work);
    batch.sent = true;
    return { calls: batch.calls, result };
  };

  return {
    query<Row>(hot: Statement, values: readonly SqlValue[]): Promise<Row[]> {
      const batch = openBatch();
      const transaction = hot.unanswered && !batch ? current() : undefined;
      if (transaction) {
        transaction.hold({ statement: hot, values: values.map(encode), resolve: nobody, reject: nobody });
        return Promise.resolve([]);
      }
      return new Promise<Row[]>((resolve, reject) => {
        const answer = (rows: Record<string, unknown>[]): void => resolve(rows as Row[]);
        const call = { statement: hot, values: values.map(encode), resolve: answer, reject };
        if (batch) batch.calls.push(call);
        else void dispatch([call]);
      });
    },

    async together<T>(work: () => Promise<T>): Promise<T> {
      if (openBatch()) return work();
      const { calls, result } = gather(work);
      if (calls.length > 0) void dispatch(calls);
      return result;
    },

    ahead<T>(work: () => Promise<T>): Promise<T> {
      const { calls, result } = gather(work);
      const transaction = current();
      if (transaction) for (const call of calls) transaction.hold(call);
      else if (calls.length > 0) void dispatch(calls);
      // Whoever sends them along hears of a failure first.
      result.catch(nobody);
      return result;
    },

    /** @throws Error inside `together`: a statement by another way would not be one of those that go together. */
    refuseOthers(): void {
      if (batches.getStore()) throw new Error('Only hot statements go together.');
    },
  };
}
