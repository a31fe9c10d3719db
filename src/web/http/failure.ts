import { AppError, type ErrorCode } from '../../shared/errors.ts';
import { asStoreError } from '../../storage/database.ts';

/** An error as the asker may see it. */
export interface Failure {
  readonly status: number;
  /** A heading for a page, the `title` of a problem document. */
  readonly title: string;
  /** What happened and what to do, for whoever asked. */
  readonly message: string;
  /** The `error` of an OAuth answer (RFC 6749 §5.2 and §4.1.2.1, plus one for limits). */
  readonly oauthError: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly code: string;
  readonly reason?: string;
  /** Whether it is a defect of ours, to be logged with its stack. */
  readonly defect: boolean;
}

interface Mapping {
  readonly status: number;
  readonly title: string;
  readonly oauthError: string;
}

/** The one place where the closed set of errors meets HTTP; the compiler finds a code that is missing. */
const mappings: Readonly<Record<ErrorCode, Mapping>> = {
  invalid_input: { status: 400, title: 'That was not understood', oauthError: 'invalid_request' },
  unauthenticated: { status: 401, title: 'Sign in first', oauthError: 'invalid_client' },
  forbidden: { status: 403, title: 'That is not allowed', oauthError: 'access_denied' },
  not_found: { status: 404, title: 'There is nothing here', oauthError: 'invalid_request' },
  conflict: { status: 409, title: 'Something else was faster', oauthError: 'invalid_request' },
  expired: { status: 410, title: 'This has expired', oauthError: 'invalid_request' },
  rate_limited: { status: 429, title: 'Wait before the next try', oauthError: 'too_many_requests' },
  unavailable: { status: 503, title: 'Not available right now', oauthError: 'temporarily_unavailable' },
};

/** The status of a refusal. */
export const statusOf = (code: ErrorCode): number => mappings[code].status;

const byStatus: Readonly<Record<number, { readonly title: string; readonly message: string }>> = {
  400: { title: 'That was not understood', message: 'The request is not well-formed.' },
  404: {
    title: 'There is nothing here',
    message: 'No page has this address. Check it, or go back to the app that you came from.',
  },
  405: { title: 'That is not possible here', message: 'This address does not take that kind of request.' },
  413: { title: 'Too large', message: 'The request is larger than this server takes.' },
  415: { title: 'Wrong kind of content', message: 'This address does not take that kind of content.' },
  421: { title: 'Wrong address', message: 'This server does not answer at that address.' },
};

const defect: Failure = {
  status: 500,
  title: 'Something went wrong on our side',
  message: 'Nothing was changed. Try again; if it happens once more, give the id below to whoever runs this server.',
  oauthError: 'server_error',
  headers: {},
  code: 'defect',
  defect: true,
};

function fromAppError(error: AppError): Failure {
  const { retryAfter, fields, reason } = error.details;
  const wait = retryAfter ?? (error.code === 'unavailable' ? 2 : undefined);
  return {
    ...mappings[error.code],
    message: error.message,
    headers: wait === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(wait))) },
    code: error.code,
    defect: false,
    ...(fields && { fields }),
    ...(reason !== undefined && { reason }),
  };
}

/** A failure that has nothing but a status, as routers leave it behind. */
export function failureOfStatus(status: number, message?: string, headers: Record<string, string> = {}): Failure {
  if (status >= 500 && status !== 501) return { ...defect, defect: false };
  const known = byStatus[status];
  return {
    status,
    title: known?.title ?? 'That did not work',
    message: message ?? known?.message ?? 'The request was refused.',
    oauthError: 'invalid_request',
    headers,
    code: `http_${status}`,
    defect: false,
  };
}

interface HttpError extends Error {
  readonly status: number;
  readonly expose: boolean;
  readonly headers?: Record<string, string>;
}

const isHttpError = (thrown: unknown): thrown is HttpError =>
  thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number' && 'expose' in thrown;

/** What to answer to anything that was thrown. Only refusals keep their words; the rest keeps its secrets. */
export function failureOf(thrown: unknown): Failure {
  const error = asStoreError(thrown);
  if (error instanceof AppError) return fromAppError(error);
  if (isHttpError(error) && error.expose && error.status >= 400 && error.status < 500) {
    return failureOfStatus(error.status, error.message, error.headers);
  }
  return defect;
}
