import knexFactory, { type Knex } from 'knex';
import { noteFailure, refuseFurtherWaits } from './away.ts';
import { type Call, Pipeline, unplanned } from './statement.ts';

/** A driver's connection, as knex lends it. */
export interface Lent {
  query(pipeline: Pipeline, callback: (error?: unknown) => void): unknown;
  /** Says to knex's pool why it must not lend this one again. */
  __knex__disposed?: unknown;
  /** Milliseconds that whoever has it now waited for it. */
  waited?: number;
}

/** What knex's pool lends connections with. */
export interface Lender {
  acquireConnection(): Promise<Lent>;
  releaseConnection(connection: Lent): Promise<void>;
}

/** Tells the unit of work, too, when a pool has no connection to lend: knex tells nobody but the caller. */
export function watchLending(pool: Knex): void {
  const lender = pool.client as Lender;
  const acquire = lender.acquireConnection.bind(lender);
  lender.acquireConnection = async () => {
    refuseFurtherWaits();
    const since = performance.now();
    try {
      const connection = await acquire();
      connection.waited = performance.now() - since;
      return connection;
    } catch (error) {
      noteFailure(error);
      throw error;
    }
  };
}

/** Sends statements in one round trip and gives each its rows; rejects when one of them fails. */
export async function sendOn(connection: Lent, calls: readonly Call[]): Promise<void> {
  const pipeline = new Pipeline(calls);
  await new Promise<void>((resolve, reject) => {
    connection.query(pipeline, (error) => (error ? reject(error) : resolve()));
  }).catch((error: unknown) => {
    noteFailure(error);
    throw error;
  });
  pipeline.deliver();
}

/** Borrows a connection of the pool for one round trip. */
export async function sendThrough(pool: Knex, calls: readonly Call[]): Promise<void> {
  const lender = pool.client as Lender;
  const connection = await lender.acquireConnection();
  try {
    await sendOn(connection, calls);
  } finally {
    void lender.releaseConnection(connection);
  }
}

const begin = unplanned('begin');
const commit = unplanned('commit');
const rollback = unplanned('rollback');

const silently = (what: Call['statement'], resolve: Call['resolve'] = () => undefined): Call => ({
  statement: what,
  values: [],
  resolve,
  reject: () => undefined,
});

/** A query builder that is bound to one connection, and what it waits for before it uses it. */
interface Bound {
  readonly sql: Knex;
  ready: () => Promise<void>;
}

const bounds = new WeakMap<Lent, Bound>();

/** Made once for each connection that needs it: it costs more than a transaction itself. */
function boundTo(connection: Lent, pool: Knex): Bound {
  const known = bounds.get(connection);
  if (known) return known;
  const Dialect = (pool.client as object).constructor as new (config: object) => Knex.Client;
  class BoundClient extends Dialect {
    override async acquireConnection(): Promise<Lent> {
      await bound.ready();
      return connection;
    }

    override async releaseConnection(): Promise<void> {
      // It belongs to the transaction.
    }
  }
  const { log, version } = pool.client.config as Knex.Config;
  const client = BoundClient as unknown as typeof Knex.Client;
  const sql = knexFactory({ client, ...(log && { log }), ...(version && { version }) });
  for (const event of ['start', 'query', 'query-error', 'query-response']) {
    sql.client.on(event, (...values: unknown[]) => pool.client.emit(event, ...values));
  }
  const bound: Bound = { sql: Object.assign(sql, { isTransaction: true as const }), ready: async () => undefined };
  bounds.set(connection, bound);
  return bound;
}

/**
 * A transaction whose BEGIN leaves with its first statements and whose COMMIT takes along what nobody waits for: a round
 * trip each less than the query builder's own.
 */
export class SqlTransaction {
  readonly #pool: Knex;
  readonly #connection: Lent;
  #begun: Promise<void> | undefined;
  /** What was sent last and is not answered yet. */
  #underWay: Promise<void> | undefined;
  #held: Call[] = [];
  #over = false;

  private constructor(pool: Knex, connection: Lent) {
    this.#pool = pool;
    this.#connection = connection;
  }

  /** Borrows a connection; nothing is sent yet. */
  static async open(pool: Knex): Promise<SqlTransaction> {
    return new SqlTransaction(pool, await (pool.client as Lender).acquireConnection());
  }

  /** The query builder, in this transaction. */
  get sql(): Knex {
    const bound = boundTo(this.#connection, this.#pool);
    bound.ready = async () => {
      if (this.#held.length > 0 || !this.#begun) return this.send([]);
      await this.#underWay?.catch(() => undefined);
      return this.#begun;
    };
    return bound.sql;
  }

  /** Whether it was committed or rolled back. */
  isCompleted(): boolean {
    return this.#over;
  }

  /** Sends statements in one round trip. Rejects when one fails; then nothing of the transaction can be kept. */
  async send(calls: readonly Call[]): Promise<void> {
    if (this.#over) throw new Error('This transaction is over.');
    await this.#leaveWith(calls);
  }

  /** Keeps a statement for the next round trip, or for the commit; it is rejected when that fails or never comes. */
  hold(call: Call): void {
    if (this.#over) throw new Error('This transaction is over.');
    this.#held.push(call);
  }

  /** @throws when something of it had failed: then nothing is kept. */
  async commit(): Promise<void> {
    this.#over = true;
    if (!this.#begun && this.#held.length === 0) return this.#leave();
    let tag = '';
    const note: Call['resolve'] = (_rows, given) => {
      tag = given;
    };
    try {
      await this.#leaveWith([silently(commit, note)]);
    } catch (error) {
      await this.rollback();
      throw error;
    }
    this.#leave();
    // What a broken transaction answers to COMMIT.
    if (tag === 'ROLLBACK') throw new Error('The transaction was broken and nothing of it was kept.');
  }

  async rollback(): Promise<void> {
    this.#over = true;
    for (const { reject } of this.#held.splice(0)) reject(new Error('This transaction was rolled back.'));
    // A connection that is given up ends, and with it what it began.
    if (this.#begun && !this.#connection.__knex__disposed) {
      await this.#underWay?.catch(() => undefined);
      await sendOn(this.#connection, [silently(rollback)]).catch((error: unknown) => {
        this.#connection.__knex__disposed ??= error;
      });
    }
    this.#leave();
  }

  /** Everything that is held goes ahead, and BEGIN ahead of that. */
  #leaveWith(calls: readonly Call[]): Promise<void> {
    const held = this.#held;
    this.#held = [];
    const all = this.#begun ? [...held, ...calls] : [silently(begin), ...held, ...calls];
    const send = (): Promise<void> => sendOn(this.#connection, all);
    // The driver has one request at a time; whoever asks for two things at once waits in line here.
    const sent = this.#underWay ? this.#underWay.then(send, send) : send();
    this.#begun ??= sent;
    this.#underWay = sent;
    const over = (): void => {
      if (this.#underWay === sent) this.#underWay = undefined;
    };
    sent.then(over, (error: unknown) => {
      over();
      for (const { reject } of held) reject(error);
    });
    return sent;
  }

  #leave(): void {
    const bound = bounds.get(this.#connection);
    if (bound) bound.ready = async () => Promise.reject(new Error('This transaction is over.'));
    void (this.#pool.client as Lender).releaseConnection(this.#connection);
  }
}
