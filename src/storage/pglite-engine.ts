import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { AppError } from '../shared/errors.ts';
import type { PgliteThread } from './pglite-thread.ts';

const retryMs = 3_000;
/** Milliseconds that a request waits for a new one. Recovery may take longer, and goes on. */
const reopenMs = 1_000;

const stopped = (why?: unknown): AppError =>
  new AppError('unavailable', 'The embedded database has stopped. Is its disk full?', { retryAfter: 5 }, why);

/**
 * One embedded database that is replaced when it dies. A full disk makes PostgreSQL panic: the statement gets its error,
 * and the database is over. Later statements fail at once for a while, and then a new one recovers from its log.
 */
export class PgliteEngine {
  readonly #open: () => Promise<PgliteThread>;
  readonly #reopens: boolean;
  #current: PgliteThread;
  #opening: Promise<void> | undefined;
  #failedAt: number | undefined;
  #closed = false;

  /** `open` makes the next one. `reopens` is false for a database in memory: a new one would be empty. */
  constructor(first: PgliteThread, open: () => Promise<PgliteThread>, { reopens }: { reopens: boolean }) {
    this.#current = first;
    this.#open = open;
    this.#reopens = reopens;
  }

  /** Milliseconds for which it has owed an answer. */
  get silentMs(): number {
    return this.#current.silentMs;
  }

  /** What knex asks for when it makes the pool's connection. It counts as expired once its database has died. */
  readonly connect = async (): Promise<Knex.PgConnectionConfig> => {
    if (this.#current.dead) await this.#reopen();
    const thread = this.#current;
    return {
      stream: () => thread.connect(),
      // Nothing of it comes from variables that are meant for a server elsewhere.
      host: 'localhost',
      port: 5432,
      user: 'postgres',
      password: 'none',
      database: 'postgres',
      ssl: false,
      sslnegotiation: 'postgres',
      expirationChecker: () => this.#current !== thread || thread.dead,
    } as unknown as Knex.PgConnectionConfig;
  };

  /** Resolves when nobody has the files any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => undefined);
    await this.#current.close();
  }

  async #reopen(): Promise<void> {
    this.#failedAt ??= performance.now();
    if (!this.#opening) {
      const early = performance.now() - this.#failedAt < retryMs;
      if (!this.#reopens || this.#closed || !this.#current.gone || early) throw stopped();
      this.#opening = this.#open()
        .then(
          (thread) => {
            this.#current = thread;
            this.#failedAt = undefined;
          },
          (error: unknown) => Promise.reject(stopped(error)),
        )
        .finally(() => {
          this.#opening = undefined;
          if (this.#failedAt !== undefined) this.#failedAt = performance.now();
        });
    }
    const isOpen = this.#opening.then(() => true);
    if (!(await Promise.race([isOpen, delay(reopenMs, false, { ref: false })]))) throw stopped();
  }
}
