/** Every way a use case may refuse. Anything else that is thrown is a defect and becomes a 500 with an id. */
export type ErrorCode =
  | 'invalid_input'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'expired'
  | 'rate_limited'
  | 'unavailable';

export interface ErrorDetails {
  /** Problems by field name, each a sentence for a person. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Seconds until trying again makes sense; becomes `Retry-After`. */
  readonly retryAfter?: number;
  /** For the operator's log only, never shown to a stranger. */
  readonly reason?: string;
}

/**
 * A refusal that its reader can act on. `message` is safe to show to the person or program that asked;
 * what only the operator may know goes into `details.reason` or `cause`.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

/** What the system or a driver calls an error, as `EEXIST` or `23505`; empty for one without. */
export const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';

/** The message of anything that was thrown, for logs. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
