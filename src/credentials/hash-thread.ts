import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HashAnswer, HashTask, ThreadSettings } from './hash-task.ts';

// Not an import, so the compiler cannot rename it: .ts in the checkout, .js in a build.
const workerFile = new URL(`./hash-worker${extname(import.meta.filename)}`, import.meta.url);

interface Job {
  resolve(answer: HashAnswer): void;
  reject(reason: Error): void;
}

/** One thread that hashes, started at its first task and again after a crash. It keeps no process alive while idle. */
export class HashThread implements AsyncDisposable {
  readonly #settings: ThreadSettings;
  #worker: Worker | undefined;
  #job: Job | undefined;

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
  }

  /** Does one task; the caller waits for it before the next. @throws Error when the thread died over it. */
  run(task: HashTask): Promise<HashAnswer> {
    const worker = this.#worker ?? this.#start();
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#job = { resolve, reject };
      worker.postMessage(task);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#settle((job) => job.reject(new Error('The server is shutting down.')));
  }

  #start(): Worker {
    // Without the options of the process: some, like those of --eval, end a thread at its start.
    const worker = new Worker(workerFile, { workerData: this.#settings, name: 'password-hashing', execArgv: [] });
    worker.on('message', (answer: HashAnswer) => {
      worker.unref();
      this.#settle((job) => job.resolve(answer));
    });
    worker.on('error', (error: unknown) => this.#lost(worker, error));
    worker.on('exit', (code) => this.#lost(worker, new Error(`The hashing thread ended with code ${code}.`)));
    this.#worker = worker;
    return worker;
  }

  #lost(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#settle((job) => job.reject(error instanceof Error ? error : new Error(String(error))));
  }

  #settle(settle: (job: Job) => void): void {
    const job = this.#job;
    this.#job = undefined;
    if (job) settle(job);
  }
}
