import type { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import type { Knex } from 'knex';
import { AppError } from '../shared/errors.ts';

const retryMs = 3_000;

/**
 * One PGlite that is replaced when it dies. A full disk makes PostgreSQL panic: the statement gets its error, and every
 * later one would wait for an answer that never comes. Here they fail at once, and the engine recovers from its log.
 */
export class PgliteEngine {
  readonly #open: () => Promise<PGlite>;
  readonly #reopens: boolean;
  #current: PGlite | undefined;
  #opening: Promise<PGlite> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;

  /** `reopens` is false for a database in memory: a new one would be empty. */
  private constructor(first: PGlite, open: () => Promise<PGlite>, reopens: boolean) {
    this.#current = first;
    this.#open = open;
    this.#reopens = reopens;
  }

  static async start(open: () => Promise<PGlite>, options: { reopens: boolean }): Promise<PgliteEngine> {
    return new PgliteEngine(await open(), open, options.reopens);
  }

  /** What knex asks for when it makes the pool's connection. It counts as expired once its engine has died. */
  readonly connect = async (): Promise<Knex.PgConnectionConfig> => {
    const pglite = this.#current ?? (await this.#reopen());
    const config = createPgConfig(pglite);
    const { connection } = config;
    connection.on('errorMessage', (message: { severity?: string }) => {
      if (message.severity !== 'PANIC' && message.severity !== 'FATAL') return;
      this.#bury(pglite);
      // After the error itself has been delivered: fails what waits on this connection instead of leaving it waiting.
      setImmediate(() => connection.emit('end'));
    });
    connection.on('error', () => this.#bury(pglite));
    return {
      ...config,
      expirationChecker: () => this.#current !== pglite,
    } as unknown as Knex.PgConnectionConfig;
  };

  async close(): Promise<void> {
    const pglite = this.#current;
    this.#current = undefined;
    await pglite?.close();
  }

  #bury(pglite: PGlite): void {
    if (this.#current !== pglite) return;
    this.#current = undefined;
    this.#failedAt = performance.now();
    // Closes the files. What the dead engine still had in memory is in the log, or was never acknowledged.
    pglite.fs?.closeFs().catch(() => undefined);
  }

  async #reopen(): Promise<PGlite> {
    if (!this.#reopens || performance.now() - this.#failedAt < retryMs) {
      throw new AppError('unavailable', 'The embedded database has stopped. Is its disk full?', { retryAfter: 5 });
    }
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
      this.#failedAt = performance.now();
    });
    this.#current = await this.#opening;
    return this.#current;
  }
}
