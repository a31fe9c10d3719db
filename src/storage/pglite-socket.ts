import { Duplex } from 'node:stream';
import { greeting } from './pglite-protocol.ts';

const [startup, terminate] = [0, 'X'.charCodeAt(0)];

/** A driver's socket whose other end is the thread. What is written in one go leaves in one piece. */
export class PgliteSocket extends Duplex {
  readonly #send: (bytes: Uint8Array<ArrayBuffer>) => void;
  #written: Buffer[] = [];

  constructor(send: (bytes: Uint8Array<ArrayBuffer>) => void) {
    super();
    this.#send = send;
  }

  connect(): this {
    setImmediate(() => this.emit('connect'));
    return this;
  }

  /** Gives the driver what the server answered. */
  receive(bytes: Uint8Array): void {
    if (!this.writableEnded && !this.destroyed) this.push(Buffer.from(bytes.buffer));
  }

  override _read(): void {
    // What there is has been pushed.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#written.push(chunk) === 1) queueMicrotask(() => this.#leave());
    done();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  // What a socket of the network can, and the driver asks for.
  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  ref = (): this => this;
  unref = (): this => this;

  /** The driver writes whole messages, each by itself. */
  #leave(): void {
    // It would come after the word that this client has left.
    if (this.destroyed) return;
    const messages: Buffer[] = [];
    for (const message of this.#written) {
      // There is one user, whom nobody has to ask who it is.
      if (message[0] === startup) this.push(greeting);
      else if (message[0] !== terminate) messages.push(message);
    }
    this.#written = [];
    if (messages.length > 0) this.#send(new Uint8Array(Buffer.concat(messages)));
  }
}
