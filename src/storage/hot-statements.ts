import { AsyncLocalStorage } from 'node:async_hooks';
import type { Knex } from 'knex';
import { type Call, encode, Pipeline, type SqlValue, type Statement } from './statement.ts';

/** A driver's connection, as knex lends it. */
interface Lent {
  query(pipeline: Pipeline, callback: (error?: unknown) => void): unknown;
}

interface Lender {
  acquireConnection(): Promise<Lent>;
  releaseConnection(connection: Lent): Promise<void>;
}

/** Sends statements in one round trip on a connection of this pool or transaction. */
async function send(from: Knex, calls: readonly Call[]): Promise<void> {
  const lender = from.client as Lender;
  const pipeline = new Pipeline(calls);
  const connection = await lender.acquireConnection();
  try {
    await new Promise<void>((resolve, reject) => {
      connection.query(pipeline, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    void lender.releaseConnection(connection);
  }
  pipeline.deliver();
}

/** A plan that a change of its table made useless, or that the connection has lost. */
const isStalePlan = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '0A000' || error.code === '26000');

/** Statements that leave in one round trip, until it has left. */
interface Batch {
  readonly calls: Call[];
  sent: boolean;
}

/** The way past the query builder, for `Database`. `current` is the transaction of the call chain, else `pool`. */
export function createHotStatements(current: () => Knex, pool: Knex, onFailure: (error: unknown) => void) {
  const batches = new AsyncLocalStorage<Batch>();

  const openBatch = (): Batch | undefined => {
    const batch = batches.getStore();
    if (batch?.sent) throw new Error('A query came after the others of its round trip had left.');
    return batch;
  };

  const dispatch = async (calls: readonly Call[]): Promise<void> => {
    const from = current();
    try {
      await send(from, calls).catch((error: unknown) => {
        // Inside a transaction nothing can be repeated: it is broken already.
        if (from !== pool || !isStalePlan(error)) throw error;
        return send(from, calls);
      });
    } catch (error) {
      onFailure(error);
      for (const { reject } of calls) reject(error);
    }
  };

  return {
    query<Row>(hot: Statement, values: readonly SqlValue[]): Promise<Row[]> {
      return new Promise<Row[]>((resolve, reject) => {
        const answer = (rows: Record<string, unknown>[]): void => resolve(rows as Row[]);
        const call = { statement: hot, values: values.map(encode), resolve: answer, reject };
        const batch = openBatch();
        if (batch) batch.calls.push(call);
        else void dispatch([call]);
      });
    },

    async together<T>(work: () => Promise<T>): Promise<T> {
      if (openBatch()) return work();
      const batch: Batch = { calls: [], sent: false };
      const result = batches.run(batch, work);
      batch.sent = true;
      if (batch.calls.length > 0) void dispatch(batch.calls);
      return result;
    },

    /** @throws Error inside `together`: a statement by another way would not be one of those that go together. */
    refuseOthers(): void {
      if (batches.getStore()) throw new Error('Only hot statements go together.');
    },
  };
}
