import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import { AppError } from '../shared/errors.ts';
import { newReference } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { callFailureOf } from './call-error.ts';
import { type Authenticate, ipOf } from './caller.ts';

/** What a method knows of the call. */
export interface CallFacts {
  readonly caller: Client;
  readonly requestId: string;
  /** Set when nobody waits for the answer any more. */
  readonly isOver: () => boolean;
}

export type Method<Request, Response> = (request: Request, facts: CallFacts) => Promise<Response>;

interface Needs {
  readonly authenticate: Authenticate;
  /** What has to be done before any answer. */
  readonly prepare: () => Promise<void>;
  readonly logger: Logger;
  /** Where finished calls are written. */
  readonly access: Logger;
  readonly observe: (call: { readonly method: string; readonly code: string; readonly seconds: number }) => void;
}

/** Milliseconds that a call may take whose client names no deadline. */
const patience = 10_000;

async function withinPatience<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('unavailable', 'This took too long. Try again.')), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** When to try again: for libraries that do it by themselves (gRFC A6), and for people. */
function hintOf(retryAfter: number): Metadata {
  const metadata = new Metadata();
  metadata.set('grpc-retry-pushback-ms', String(retryAfter * 1000));
  metadata.set('retry-after', String(retryAfter));
  return metadata;
}

/** Puts around a method what every call needs: who asks, an id, one line in the log, and errors without their stacks. */
export function createFrame(needs: Needs) {
  const { authenticate, prepare, logger, access, observe } = needs;

  return <Request, Response>(name: string, method: Method<Request, Response>): handleUnaryCall<Request, Response> => {
    const run = async (call: ServerUnaryCall<Request, Response>, facts: { requestId: string; client?: string }) => {
      await prepare();
      const caller = await authenticate(call);
      facts.client = caller.id;
      return method(call.request, { caller, requestId: facts.requestId, isOver: () => call.cancelled });
    };

    return (call, callback) => {
      const start = performance.now();
      const facts: { requestId: string; client?: string } = { requestId: newReference('req') };
      const finish = (code: status): void => {
        const milliseconds = performance.now() - start;
        // A deadline that passed was answered by the library.
        const answered = status[call.cancelled ? status.CANCELLED : code] ?? String(code);
        const line = { method: name, code: answered, ms: Math.round(milliseconds * 10) / 10, ip: ipOf(call.getPeer()) };
        access[code === status.INTERNAL ? 'error' : 'info']({ ...line, ...facts }, 'call');
        observe({ method: name, code: answered, seconds: milliseconds / 1000 });
      };
      withinPatience(run(call, facts)).then(
        (answer) => {
          finish(status.OK);
          callback(null, answer);
        },
        (thrown: unknown) => {
          const { code, message, defect, retryAfter } = callFailureOf(thrown);
          const { requestId } = facts;
          if (defect) logger.error({ err: thrown, requestId }, 'call failed');
          finish(code);
          const hint = retryAfter === undefined ? {} : { metadata: hintOf(retryAfter) };
          callback({ code, details: `${message} (${requestId})`, ...hint });
        },
      );
    };
  };
}

export type Frame = ReturnType<typeof createFrame>;
