import { getCompileCacheDir } from 'node:module';
import { dirname, extname } from 'node:path';
import type { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { FromServer, PglitePlace, ToServer } from './pglite-protocol.ts';
import { PgliteSocket } from './pglite-socket.ts';

// Not an import, so the compiler cannot rename it: .ts in the checkout, .js in a build.
const workerFile = new URL(`./pglite-worker${extname(import.meta.filename)}`, import.meta.url);

// V8 would spend a second of processor time on making the database's program faster while everything still starts. What
// runs often gets there a little later.
setFlagsFromString('--wasm-tiering-budget=1000000000');

export interface ThreadOptions {
  /** Options of Node for the thread; tests break its disk with them. */
  readonly execArgv?: readonly string[] | undefined;
  /** Milliseconds without an answer after which a database counts as stuck, by a disk that went away for example. */
  readonly patienceMs?: number | undefined;
}

/** PGlite's program, as the first thread compiled it. Later ones share it, and what was made faster of it. */
let program: object | undefined;

/** Lets the thread load what was compiled before, if this one does; a thread does not do so by itself. */
function sharedCompileCache(): string[] {
  const dir = getCompileCacheDir();
  if (dir === undefined) return [];
  const code = `import { enableCompileCache } from 'node:module'; enableCompileCache(${JSON.stringify(dirname(dir))});`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}

/**
 * An embedded database in a thread of its own, so that neither its work nor a slow disk holds up requests that need
 * nothing of it, and so that it starts while the server loads. It keeps no process alive while it has nothing to do.
 */
export class PgliteThread {
  readonly #patienceMs: number;
  readonly #worker: Worker;
  readonly #asked: PgliteSocket[] = [];
  readonly #sockets = new Set<PgliteSocket>();
  readonly #opening = Promise.withResolvers<void>();
  #opens = false;
  #clients = 0;
  #silence: NodeJS.Timeout | undefined;
  #heardAt = 0;
  #dead = false;
  /** Somebody waits for its end. */
  #ending = false;
  #gone = false;

  /** Starts the thread, which gets ready to open a database. */
  constructor({ execArgv = [], patienceMs = 300_000 }: ThreadOptions = {}) {
    this.#patienceMs = patienceMs;
    this.#worker = new Worker(workerFile, {
      name: 'embedded-database',
      workerData: program,
      execArgv: [...sharedCompileCache(), ...execArgv],
    });
    this.#worker.on('message', (message: FromServer) => {
      if ('opened' in message) this.#isOpen(message.opened);
      else if ('refused' in message) this.#lost(new Error(message.refused));
      else this.#answer(message);
      this.#watch();
      if (this.#asked.length === 0 && !this.#ending) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#lost(error));
    this.#worker.on('exit', (code) => {
      this.#gone = true;
      this.#lost(new Error(`The embedded database ended with code ${code}.`));
    });
    // After the listeners, which count as something to do.
    this.#worker.unref();
    // Whoever opens it is told.
    this.#opening.promise.catch(() => undefined);
  }

  /** Whether it died; whoever needs a database opens another one. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Whether its thread has ended, so that nobody has its files. One that waits for a disk may take as long as the disk. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Milliseconds for which it has owed an answer. */
  get silentMs(): number {
    return this.#asked.length === 0 ? 0 : performance.now() - this.#heardAt;
  }

  /** Opens the database, once. Resolves when it can be asked. @throws Error when it cannot be opened. */
  open(place: PglitePlace): Promise<void> {
    this.#worker.ref();
    this.#tell({ open: place });
    this.#opens = true;
    this.#watch();
    return this.#opening.promise;
  }

  /** A socket for the driver; its server serves one at a time. */
  connect(): Duplex {
    this.#clients += 1;
    const client = this.#clients;
    const socket: PgliteSocket = new PgliteSocket((bytes) => {
      if (this.#dead) return void socket.destroy();
      if (this.#asked.push(socket) === 1) this.#watch();
      this.#worker.ref();
      this.#tell({ client, bytes }, bytes.buffer);
    });
    this.#sockets.add(socket);
    socket.once('close', () => {
      if (this.#sockets.delete(socket) && !this.#dead) this.#tell({ left: client });
    });
    if (this.#dead) socket.destroy();
    return socket;
  }

  /**
   * Shuts the database down. Resolves when the thread has ended, and nobody has its files.
   * @throws Error when it died over that; the database recovers when it is opened again
   */
  async close(): Promise<void> {
    if (this.#dead) return this.end();
    const ended = new Promise<number>((resolve) => this.#worker.once('exit', resolve));
    this.#ending = true;
    this.#worker.ref();
    this.#tell('close');
    const code = await ended;
    if (code !== 0) throw new Error(`The embedded database ended with code ${code}.`);
  }

  /** Ends the thread as it is; a database on disk recovers when it is opened again. */
  async end(): Promise<void> {
    this.#dead = true;
    this.#ending = true;
    await this.#worker.terminate();
  }

  #tell(message: ToServer, ...moved: ArrayBuffer[]): void {
    this.#worker.postMessage(message, moved);
  }

  #isOpen(compiled: object | undefined): void {
    program ??= compiled;
    this.#opens = false;
    this.#opening.resolve();
  }

  #answer({ answer, dead }: Extract<FromServer, { answer: Uint8Array }>): void {
    this.#asked.shift()?.receive(answer);
    if (!dead) return;
    this.#dead = true;
    // After the error itself has been delivered.
    setImmediate(() => this.#lost(new Error('The embedded database stopped.')));
  }

  #watch(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#heardAt = performance.now();
    if (this.#dead || (this.#asked.length === 0 && !this.#opens)) return;
    // Recovery after a crash may take longer than any statement.
    const milliseconds = this.#opens ? this.#patienceMs * 10 : this.#patienceMs;
    const timer = setTimeout(() => {
      // This process may have been stopped meanwhile, with the answer waiting.
      setImmediate(() => {
        if (this.#silence === timer) this.#lost(new Error('The embedded database does not answer.'));
      });
    }, milliseconds);
    this.#silence = timer.unref();
  }

  /** Fails what waits instead of leaving it waiting. */
  #lost(why: unknown): void {
    this.#dead = true;
    this.#opening.reject(why);
    this.#asked.length = 0;
    this.#watch();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    void this.#worker.terminate();
  }
}
