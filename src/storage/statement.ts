import { createHash } from 'node:crypto';
import pg from 'pg';

/** What a parameter can be. JSON and arrays are passed as their text; the statement casts where it has to. */
export type SqlValue = string | number | boolean | Date | null;

/** A statement that runs all day, with `$1`, `$2`, … for its values. Each connection plans it once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /**
   * Nobody needs its rows, nor to know at once that it failed. In a transaction it is not waited for: it leaves with the
   * next statement or with the commit, which fails when it does.
   */
  readonly unanswered?: true;
}

/** Names a statement by its text, so that no name ever has two texts. */
export const statement = (text: string): Statement => ({
  text,
  name: `sp_${createHash('sha256').update(text).digest('base64url').slice(0, 16)}`,
});

/** A write that nobody asks back from; see {@link Statement}. */
export const unanswered = (text: string): Statement => ({ ...statement(text), unanswered: true });

/** A statement that no connection plans ahead: it works on one that has lost all its plans, too. */
export const unplanned = (text: string): Statement => ({ text, name: '' });

/** One statement with its values, and who waits for its rows. */
export interface Call {
  readonly statement: Statement;
  readonly values: readonly (string | null)[];
  /** `tag` is what the server says it did, for example `COMMIT`. */
  resolve(rows: Record<string, unknown>[], tag: string): void;
  reject(reason: unknown): void;
}

/** A value as PostgreSQL reads it in text format. */
export const encode = (value: SqlValue): string | null =>
  value === null ? null : value instanceof Date ? value.toISOString() : String(value);

/** The part of pg's connection that is needed here. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  close(target: { type: 'S'; name: string }): void;
  parse(statement: Statement): void;
  bind(call: { statement: string; values: readonly (string | null)[] }): void;
  describe(target: { type: 'P'; name: string }): void;
  execute(options: object): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

interface Column {
  readonly name: string;
  readonly read: (text: string) => unknown;
}

/** The columns of the statements that a connection has planned. */
const planned = new WeakMap<Wire, Map<string, readonly Column[]>>();

const columnsOf = (fields: readonly { name: string; dataTypeID: number }[]): Column[] =>
  fields.map(({ name, dataTypeID }) => ({ name, read: pg.types.getTypeParser(dataTypeID, 'text') }));

/**
 * Several statements in one write and one answer. Up to the one `Sync` at their end PostgreSQL runs them as a single
 * transaction (its protocol, "Pipelining"): all of them are committed together, or none when one fails.
 * It is handed to `client.query()`, which calls it back as it does its own queries.
 */
export class Pipeline {
  /** Set and called by the client. */
  callback: ((error?: unknown) => void) | undefined;
  /** Milliseconds that the client waits for the answer, when the pool sets a limit. */
  query_timeout?: number;
  readonly #calls: readonly Call[];
  readonly #rows: Record<string, unknown>[][];
  readonly #tags: string[] = [];
  #plans: Map<string, readonly Column[]> = new Map();
  #columns: readonly Column[] | undefined;
  #at = 0;

  constructor(calls: readonly Call[]) {
    this.#calls = calls;
    this.#rows = calls.map(() => []);
  }

  /** Gives each call its rows. */
  deliver(): void {
    for (const [index, call] of this.#calls.entries()) call.resolve(this.#rows[index] ?? [], this.#tags[index] ?? '');
  }

  submit(wire: Wire): null {
    this.#plans = planned.get(wire) ?? new Map();
    planned.set(wire, this.#plans);
    wire.stream.cork();
    for (const { statement: hot, values } of this.#calls) {
      const isNew = !this.#plans.has(hot.name);
      if (isNew) {
        // It may be there and yet not be known to be, after a failure.
        if (hot.name !== '') wire.close({ type: 'S', name: hot.name });
        wire.parse(hot);
      }
      wire.bind({ statement: hot.name, values });
      if (isNew) wire.describe({ type: 'P', name: '' });
      wire.execute({});
    }
    wire.sync();
    wire.stream.uncork();
    return null;
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#columns = columnsOf(fields);
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const columns = this.#columns ?? this.#plans.get(this.#calls[this.#at]?.statement.name ?? '') ?? [];
    const row: Record<string, unknown> = {};
    for (const [index, { name, read }] of columns.entries()) {
      const text = fields[index] ?? null;
      row[name] = text === null ? null : read(text);
    }
    this.#rows[this.#at]?.push(row);
  }

  handleCommandComplete({ text = '' }: { text?: string } = {}): void {
    const name = this.#calls[this.#at]?.statement.name;
    if (name && !this.#plans.has(name)) this.#plans.set(name, this.#columns ?? []);
    this.#tags.push(text);
    this.#columns = undefined;
    this.#at += 1;
  }

  handleError(error: unknown): void {
    // Whatever was wrong, the next one plans again: a changed table makes an old plan useless.
    for (const call of this.#calls) this.#plans.delete(call.statement.name);
    this.callback?.(error);
  }

  handleReadyForQuery(): void {
    this.callback?.();
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handlePortalSuspended(): void {
    // No limit on rows was asked for, so no portal is.
  }

  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail('No statement here copies.');
  }

  handleCopyData(): void {
    // As above.
  }
}
