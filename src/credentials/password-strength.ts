import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** How hard a password is to guess, as zxcvbn counts: below 10^3, 10^6, 10^8, 10^10 guesses, and more. */
export type Score = 0 | 1 | 2 | 3 | 4;

/** A score and its word. */
export interface PasswordStrength {
  readonly score: Score;
  readonly text: string;
}

const words = ['Very weak', 'Weak', 'Fair', 'Good', 'Strong'] as const;

/** The score with the word that people read. */
export const strengthOf = (score: Score): PasswordStrength => ({ score, text: words[score] });

/** What the thread is asked. */
export interface StrengthTask {
  /** Normalised. */
  readonly text: string;
  /** Words that somebody who knows the person or the service would try first. */
  readonly words: readonly string[];
}

/** What the thread answers. */
export interface StrengthAnswer {
  readonly score: Score;
  /** Whether it is on the list of common passwords, perhaps dressed up. */
  readonly common: boolean;
}

export interface StrengthMeter extends AsyncDisposable {
  /** @throws AppError `unavailable` when too many wait or the thread fails. */
  measure(task: StrengthTask): Promise<StrengthAnswer>;
}

export interface StrengthMeterOptions {
  readonly logger: Logger;
  /** How many may wait; one more is refused. Default: 64. */
  readonly queue?: number;
  /** Milliseconds without work after which the thread gives its memory back. Default: two minutes. */
  readonly idle?: number;
  /** Milliseconds that one answer may take, the start of the thread included. Default: 10 seconds. */
  readonly limit?: number;
}

// Not an import, so the compiler cannot rename it: .ts in the checkout, .js in a build.
const workerFile = new URL(`./password-strength-worker${extname(import.meta.filename)}`, import.meta.url);

// It makes much that it throws away at once; without a bound its heap grows from 75 MB to 200.
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

interface Job {
  readonly task: StrengthTask;
  resolve(answer: StrengthAnswer): void;
  reject(error: AppError): void;
}

const overloaded = (reason: string, cause?: unknown): AppError =>
  new AppError(
    'unavailable',
    'Passwords cannot be checked right now. Try again in a moment.',
    { retryAfter: 2, reason },
    cause,
  );

/** One thread, started at the first password and ended when idle; it keeps no process alive. */
class StrengthThread implements StrengthMeter {
  readonly #options: Required<StrengthMeterOptions>;
  readonly #queue: Job[] = [];
  #worker: Worker | undefined;
  #job: Job | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: Required<StrengthMeterOptions>) {
    this.#options = options;
  }

  measure(task: StrengthTask): Promise<StrengthAnswer> {
    if (this.#closed || this.#queue.length >= this.#options.queue) {
      return Promise.reject(overloaded('The queue of the password meter is full.'));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject });
      if (!this.#job) this.#next();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(overloaded('The server is shutting down.'));
    await this.#stop(new Error('The server is shutting down.'));
  }

  #next(): void {
    clearTimeout(this.#timer);
    const job = this.#queue.shift();
    this.#job = job;
    if (!job) {
      this.#worker?.unref();
      this.#timer = setTimeout(() => void this.#stop(), this.#options.idle).unref();
      return;
    }
    const worker = this.#worker ?? this.#start();
    worker.ref();
    this.#timer = setTimeout(
      () => void this.#stop(new Error('The password meter took too long.')),
      this.#options.limit,
    );
    worker.postMessage(job.task);
  }

  #start(): Worker {
    const worker = new Worker(workerFile, { name: 'password-strength', execArgv: [], resourceLimits });
    this.#worker = worker;
    worker.on('message', (answer: StrengthAnswer) => {
      if (this.#worker !== worker) return;
      this.#job?.resolve(answer);
      this.#next();
    });
    const lost = (error: unknown): void => {
      if (this.#worker === worker) void this.#stop(error);
    };
    worker.on('error', lost);
    worker.on('exit', (code) => lost(new Error(`The password meter ended with code ${code}.`)));
    return worker;
  }

  /** Ends the thread, tells whoever waited for it, and goes on with the next on a new one. */
  async #stop(error?: unknown): Promise<void> {
    clearTimeout(this.#timer);
    const [worker, job] = [this.#worker, this.#job];
    this.#worker = undefined;
    this.#job = undefined;
    if (job) {
      if (!this.#closed)
        this.#options.logger.error({ err: error }, 'The strength of a password could not be measured.');
      job.reject(overloaded(reasonOf(error), error));
      this.#next();
    }
    await worker?.terminate();
  }
}

/**
 * Measures on a thread of its own: hostile text must not hold up the event loop, and the dictionaries need not be in the
 * memory of every hashing thread.
 */
export const createStrengthMeter = ({
  logger,
  queue = 64,
  idle = 120_000,
  limit = 10_000,
}: StrengthMeterOptions): StrengthMeter => new StrengthThread({ logger, queue, idle, limit });
