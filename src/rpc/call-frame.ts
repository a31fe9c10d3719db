import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { callFailureOf, statusOf } from './call-error.ts';
import type { CallGate } from './call-gate.ts';
import { patience } from './call-limits.ts';
import type { CallRecord } from './call-record.ts';

/** What a method knows of the call. */
export interface CallFacts {
  readonly caller: Client;
  readonly requestId: string;
  /** Set when nobody waits for the answer any more. */
  readonly isOver: () => boolean;
}

export type Method<Request, Response> = (request: Request, facts: CallFacts) => Promise<Response>;

interface Needs {
  readonly recordOf: CallGate['recordOf'];
  readonly logger: Logger;
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('unavailable', 'This took too long. Try again.')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Puts around a method what every call needs: who asks, a time by which it ends, one line in the log, and errors without their stacks. */
export function createFrame({ recordOf, logger }: Needs) {
  return <Request, Response>(method: Method<Request, Response>): handleUnaryCall<Request, Response> => {
    const run = (call: ServerUnaryCall<Request, Response>, { caller, requestId }: CallRecord) => {
      // Nobody comes here past the gate.
      if (!caller) throw new AppError('unauthenticated', 'Nobody has proven who calls.');
      return method(call.request, { caller, requestId, isOver: () => call.cancelled });
    };

    return (call, callback) => {
      const record = recordOf(call.metadata);
      if (!record) return callback({ code: status.UNAUTHENTICATED, details: 'Nobody has proven who calls.' });
      const { requestId } = record;
      // A deadline that passed was answered by the library.
      const finish = (code: status): void => record.finish(call.cancelled ? status.CANCELLED : code);
      const left = Math.max(0, patience - (performance.now() - record.since));
      within(left, (async () => run(call, record))()).then(
        (answer) => {
          finish(status.OK);
          callback(null, answer);
        },
        (thrown: unknown) => {
          const failure = callFailureOf(thrown);
          if (failure.defect) logger.error({ err: thrown, requestId }, 'call failed');
          finish(failure.code);
          callback(statusOf(failure, requestId));
        },
      );
    };
  };
}

export type Frame = ReturnType<typeof createFrame>;
