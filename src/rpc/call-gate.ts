import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { Logger } from '../shared/logger.ts';
import { callFailureOf } from './call-error.ts';
import { requestPatience, ruleOf, streamPatience } from './call-limits.ts';
import type { CallRecord } from './call-record.ts';
import { type Authenticate, ipOf } from './caller.ts';
import { IncomingCall } from './incoming-call.ts';

interface Needs {
  readonly authenticate: Authenticate;
  /** What has to be done before any answer. */
  readonly prepare: () => Promise<void>;
  readonly begin: (method: string, ip: string) => CallRecord;
  readonly logger: Logger;
}

/**
 * What stands before every method. The library calls a method once its whole request is here, so who asks, how much they
 * send and how long they take for it is looked at before: nothing is read for a caller that has not proven itself.
 */
export interface CallGate {
  readonly interceptor: ServerInterceptor;
  /** The record of a call that was let in, by the metadata that its method is given. */
  recordOf(metadata: Metadata): CallRecord | undefined;
  /** Hurries requests that are not whole, and resolves when every client that has proven itself has its answer. */
  drain(): Promise<void>;
}

/** Calls that are not over, and when those that keep the server open are. */
class OpenCalls {
  /** Those with a request that is not whole. */
  readonly #unfinished = new Set<IncomingCall>();
  /** Those of clients, which get their answer before the server stops. */
  readonly #awaited = new Set<IncomingCall>();
  #idle: PromiseWithResolvers<void> | undefined;

  add(incoming: IncomingCall, milliseconds: number, isAwaited: boolean): void {
    this.#unfinished.add(incoming);
    if (isAwaited) this.#awaited.add(incoming);
    if (this.#idle) incoming.hurry();
    else incoming.expectWithin(milliseconds);
  }

  complete(incoming: IncomingCall): void {
    incoming.complete();
    this.#unfinished.delete(incoming);
  }

  answered(incoming: IncomingCall): void {
    this.#awaited.delete(incoming);
    if (this.#awaited.size === 0) this.#idle?.resolve();
  }

  drain(): Promise<void> {
    this.#idle ??= Promise.withResolvers<void>();
    for (const incoming of this.#unfinished) incoming.hurry();
    if (this.#awaited.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }
}

/** Makes it. */
export function createGate({ authenticate, prepare, begin, logger }: Needs): CallGate {
  const records = new WeakMap<Metadata, CallRecord>();
  const calls = new OpenCalls();

  const refuse = (incoming: IncomingCall, { requestId }: CallRecord, thrown: unknown): void => {
    const failure = callFailureOf(thrown);
    if (failure.defect) logger.error({ err: thrown, requestId }, 'call failed');
    incoming.refuse(failure);
  };

  const interceptor: ServerInterceptor = ({ path, requestStream }, call) => {
    const method = path.slice(1);
    const rule = ruleOf(method);
    const record = begin(method, ipOf(call.getPeer()));
    const incoming = new IncomingCall(call, rule, record);
    calls.add(incoming, requestStream ? streamPatience : requestPatience, !rule.open);
    const over = (): void => {
      calls.complete(incoming);
      calls.answered(incoming);
      incoming.end();
      if (!rule.open) record.finish(status.CANCELLED);
    };
    incoming.whenGone(over);

    const admit = async (metadata: Metadata): Promise<void> => {
      await prepare();
      const [getAuthContext, getPeer] = [() => call.getAuthContext(), () => call.getPeer()];
      record.caller = await authenticate({ metadata, getAuthContext, getPeer });
      records.set(metadata, record);
    };

    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            if (rule.open) return pass(metadata);
            admit(metadata).then(
              () => incoming.isOver || pass(metadata),
              (thrown: unknown) => refuse(incoming, record, thrown),
            );
          },
          onReceiveHalfClose(pass) {
            calls.complete(incoming);
            pass();
          },
          // Comes at the end of every call, whatever ended it.
          onCancel: over,
        }),
      sendMessage(message, pass) {
        calls.answered(incoming);
        pass(message);
      },
    });
  };

  return { interceptor, recordOf: (metadata) => records.get(metadata), drain: () => calls.drain() };
}
