import { Metadata, status } from '@grpc/grpc-js';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import { asStoreError } from '../storage/database.ts';

/** An error as a gRPC client sees it. */
export interface CallFailure {
  readonly code: status;
  readonly message: string;
  /** Whether it is a defect of ours, to be logged with its stack. */
  readonly defect: boolean;
  /** Seconds until trying again makes sense. */
  readonly retryAfter?: number;
}

/** Where the closed set of errors meets gRPC. */
const codes: Readonly<Record<ErrorCode, status>> = {
  invalid_input: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  conflict: status.ABORTED,
  expired: status.FAILED_PRECONDITION,
  rate_limited: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
};

/** Only refusals keep their words. */
export function callFailureOf(thrown: unknown): CallFailure {
  const error = asStoreError(thrown);
  if (error instanceof AppError) {
    const { retryAfter } = error.details;
    const hint = retryAfter === undefined ? {} : { retryAfter: Math.max(1, Math.ceil(retryAfter)) };
    return { code: codes[error.code], message: error.message, defect: false, ...hint };
  }
  return { code: status.INTERNAL, message: 'Something went wrong on our side.', defect: true };
}

/** When to try again: for libraries that do it by themselves (gRFC A6), and for people. */
function hintOf(retryAfter: number): Metadata {
  const metadata = new Metadata();
  metadata.set('grpc-retry-pushback-ms', String(retryAfter * 1000));
  metadata.set('retry-after', String(retryAfter));
  return metadata;
}

/** The status that ends a call, with the id that the log has. */
export const statusOf = ({ code, message, retryAfter }: CallFailure, requestId: string) => ({
  code,
  details: `${message} (${requestId})`,
  ...(retryAfter !== undefined && { metadata: hintOf(retryAfter) }),
});
