import { type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { type CallFailure, statusOf } from './call-error.ts';
import { lastPatience, type MethodRule } from './call-limits.ts';
import type { CallRecord } from './call-record.ts';
import { closeStream, cutStream, streamOf } from './call-stream.ts';

const refusal = (code: status, message: string): CallFailure => ({ code, message, defect: false });
const late = refusal(status.DEADLINE_EXCEEDED, 'The request did not come in time.');
const slow = refusal(status.UNAVAILABLE, 'This took too long. Try again.');
const stopping = refusal(status.UNAVAILABLE, 'The server stops. Try again.');
const tooLarge = (most: number) => refusal(status.RESOURCE_EXHAUSTED, `A request here has ${most} bytes at most.`);
const compressed = refusal(status.UNIMPLEMENTED, 'A request here cannot be compressed.');

/** A call while its request comes in: what it may send, and by when. */
export class IncomingCall {
  readonly #call: ServerInterceptingCallInterface;
  readonly #stream: ReturnType<typeof streamOf>;
  readonly #record: CallRecord;
  readonly #isOpen: boolean;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #over = false;

  constructor(call: ServerInterceptingCallInterface, { open, most }: MethodRule, record: CallRecord) {
    this.#call = call;
    this.#record = record;
    this.#isOpen = open;
    this.#stream = streamOf(call);
    // Before the library's own listener, which keeps what it is given.
    this.#stream.prependListener('data', (chunk: Buffer) => {
      // The first byte says whether it is compressed: a stranger's little could become much.
      if (open && this.#bytes === 0 && chunk[0] === 1) this.refuse(compressed);
      this.#bytes += chunk.length;
      if (this.#bytes > most) this.refuse(tooLarge(most));
    });
  }

  /** Whether it was refused, answered or given up. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Does this when its stream is closed, also one that was before anybody looked: of that the library tells nothing. */
  whenGone(work: () => void): void {
    if (this.#stream.closed || this.#stream.destroyed) work();
    else this.#stream.once('close', work);
  }

  /** Gives the whole request so many milliseconds. */
  expectWithin(milliseconds: number): void {
    this.#refuseAfter(milliseconds, late);
  }

  /** Gives it the time that is left when the server stops. */
  hurry(): void {
    this.#refuseAfter(lastPatience, stopping);
  }

  /** The whole request is here. */
  complete(): void {
    clearTimeout(this.#timer);
  }

  /** Answers with a failure, in the place of the method. */
  refuse(failure: CallFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#record.finish(failure.code);
    // An answer that has begun may wait for a client that takes nothing.
    if (this.#stream.headersSent) setTimeout(() => cutStream(this.#stream), lastPatience).unref();
    this.#call.sendStatus(statusOf(failure, this.#record.requestId));
  }

  /** It has its answer, or nobody waits for one. */
  end(): void {
    this.#over = true;
    this.complete();
    if (!this.#stream.readableEnded) closeStream(this.#stream);
  }

  #refuseAfter(milliseconds: number, failure: CallFailure): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Without a caller it is our own check that takes so long.
      const isOurs = !this.#isOpen && this.#record.caller === undefined;
      this.refuse(isOurs ? slow : failure);
    }, milliseconds);
    this.#timer.unref();
  }
}
