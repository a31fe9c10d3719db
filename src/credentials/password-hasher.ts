import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { HashAnswer, HashEngine, HashTask } from './hash-task.ts';
import { HashThread } from './hash-thread.ts';
import { dummyHash, type HashCost, toPhc } from './password.ts';

/** One task under way, as somebody sees it who measures. It says nothing of what is hashed. */
export interface WatchedHash {
  /** A thread has it now; until then it waited for one. */
  begun(): void;
  end(outcome: 'ok' | 'error'): void;
}

/** Told of each task; undefined when this one is not measured. */
export type WatchHashing = (operation: 'hash' | 'verify') => WatchedHash | undefined;

export interface PasswordHasherOptions extends HashCost {
  /** Hashes at once. Default: the number of cores; more is slower and takes `memoryKiB` each. */
  readonly workers?: number | undefined;
  /** How many may wait for a thread; one more is refused. */
  readonly queue: number;
  /** Default: the fast one where it has a binary. */
  readonly engine?: HashEngine;
  readonly logger: Logger;
  readonly watch?: WatchHashing | undefined;
}

/**
 * Hashes with argon2id, on threads of its own behind a bounded queue.
 * Every method throws AppError `unavailable` when the queue is full.
 */
export interface PasswordHasher extends AsyncDisposable {
  /** The current cost of new hashes. */
  readonly cost: HashCost;
  /** How many wait for a thread now. */
  readonly waiting: number;
  /** A PHC string with a salt of its own. */
  hash(text: string): Promise<string>;
  /**
   * Compares; a hash that is missing, malformed or cheaper than the current cost takes the same time as one that is not.
   * `typed` is the password before it was normalised, since other systems hash what they get.
   */
  verify(phc: string | undefined, text: string, typed?: string): Promise<'match' | 'mismatch' | 'malformed'>;
  /** The bare 32-byte hashes of several texts, as one task. */
  derive(texts: readonly string[], salt: Uint8Array, cost: HashCost): Promise<readonly Uint8Array[]>;
}

const overloaded = (): AppError =>
  new AppError('unavailable', 'Too many people are signing in right now. Try again in a moment.', { retryAfter: 2 });

/** A fixed number of threads and the people who wait for one, first come, first served. */
class HashThreads implements AsyncDisposable {
  readonly #threads: readonly HashThread[];
  readonly #idle: HashThread[];
  readonly #queue: { give(thread: HashThread): void; refuse(): void }[] = [];
  readonly #limit: number;
  #closed = false;

  constructor(threads: readonly HashThread[], limit: number) {
    this.#threads = threads;
    this.#idle = [...threads];
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  async run(task: HashTask, watched: WatchedHash | undefined): Promise<HashAnswer> {
    const thread = this.#idle.pop() ?? (await this.#next());
    watched?.begun();
    try {
      if (this.#closed) throw overloaded();
      return await thread.run(task);
    } finally {
      const next = this.#queue.shift();
      if (next) next.give(thread);
      else this.#idle.push(thread);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { refuse } of this.#queue.splice(0)) refuse();
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  #next(): Promise<HashThread> {
    if (this.#closed || this.#queue.length >= this.#limit) return Promise.reject(overloaded());
    return new Promise((give, reject) => {
      this.#queue.push({ give, refuse: () => reject(overloaded()) });
    });
  }
}

/**
 * Makes the hasher. Its threads call a synchronous argon2, because an asynchronous one shares the process's libuv pool
 * with WebCrypto (token signing), fs and dns. Measured on two shared cores at 19456 KiB and 2 passes, two hashes at once,
 * Node 24 (hashes/s, CPU ms each; median and p99 ms of an ES256 signature meanwhile, 0.3 and 1 when idle):
 * `argon2` on the pool 71, 28; 13, 25 (with eight at once 79, 260) · `argon2` in child processes 66, 30; 0.4, 6, and
 * 110 MB more · node's own argon2Sync in threads 53, 37; 0.4, 6 · @node-rs/argon2 in threads 96, 20; 0.5, 7, and 35 MB more,
 * p99 3 with a lower thread priority. So the last, with `argon2` where @node-rs/argon2 has no binary.
 */
export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { logger, engine, memoryKiB, passes, watch } = options;
  const cost: HashCost = { memoryKiB, passes };
  const count = Math.max(1, options.workers ?? availableParallelism());
  const threads = new HashThreads(
    Array.from({ length: count }, () => new HashThread(engine ? { engine } : {})),
    options.queue,
  );
  const dummy = dummyHash(cost);

  const run = async (task: HashTask): Promise<HashAnswer> => {
    const watched = watch?.(task.kind === 'verify' ? 'verify' : 'hash');
    try {
      const answer = await threads.run(task, watched);
      watched?.end('ok');
      return answer;
    } catch (error) {
      watched?.end('error');
      if (error instanceof AppError) throw error;
      logger.error({ err: error }, 'A password could not be hashed.');
      throw new AppError(
        'unavailable',
        'Signing in is not possible right now. Try again in a moment.',
        { retryAfter: 2, reason: reasonOf(error) },
        error,
      );
    }
  };

  const derive: PasswordHasher['derive'] = async (texts, salt, wanted) => {
    const answer = await run({ kind: 'derive', texts, salt, cost: wanted });
    return answer.kind === 'derived' ? answer.hashes : [];
  };

  return {
    cost,
    get waiting() {
      return threads.waiting;
    },
    derive,
    async hash(text) {
      const salt = randomBytes(16);
      const [hash] = await derive([text], salt, cost);
      if (!hash) throw new Error('A hashing thread answered without a hash.');
      return toPhc(cost, salt, hash);
    },
    async verify(phc, text, typed = text) {
      const texts = typed === text ? [text] : [text, typed];
      const answer = await run({ kind: 'verify', phc: phc ?? dummy, texts, cost });
      return answer.kind === 'verified' ? answer.result : 'malformed';
    },
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  };
}
