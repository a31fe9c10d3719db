import type { Context } from 'koa';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import { failureOf, failureOfStatus, statusOf } from '../http/failure.ts';
import type { JsonSchema, ResponseObject } from './openapi-types.ts';
import type { RefusalCode } from './operation.ts';
import type { Unprocessable } from './unprocessable.ts';

/** Titles of refusals that only the API has. */
const ownTitle = 'That was not accepted';
const unprocessableStatus = 422;

/** What each refusal means at the API; the set is closed, and the compiler finds a code that is missing. */
const meanings: Readonly<Record<RefusalCode, string>> = {
  invalid_input:
    'The request does not have the form that is described here: no JSON, a field that is missing, unknown or of another type. `fields` says which and why.',
  unprocessable:
    'The request has the right form, and something that it says is not accepted: a wrong code, a password that the policy refuses. `fields` says what and why.',
  unauthenticated:
    'There is no access token, or it is not good here any more; or the sign-in behind it is too old or lacks the second factor (`insufficient_user_authentication`, RFC 9470). `WWW-Authenticate` says what is needed.',
  forbidden: 'The access token is good, and does not allow this. A missing scope is named in `WWW-Authenticate`.',
  not_found: 'No such address, or no such thing at it.',
  conflict: 'It was changed meanwhile, or somebody else has the name. Read it again and repeat the change.',
  expired: 'It was used up or is too old. Start again.',
  rate_limited: 'Wait for as many seconds as `Retry-After` says.',
  unavailable: 'A part of the server is away. Try again after `Retry-After` seconds.',
};

const edgeMeanings: Readonly<Record<number, string>> = {
  405: 'The address does not take this method. `Allow` lists those that it takes.',
  413: 'The body is longer than 64 KiB.',
  415: 'The body is not `application/json` in UTF-8.',
  500: 'A defect of ours. Nothing was changed; the reference leads to it in the log.',
};

/** A status that the API can answer with and what it means. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly description: string;
}

/** Every problem there is, by status. */
export const problems: readonly Problem[] = [
  ...Object.entries(meanings).map(([code, description]) => {
    if (code === 'unprocessable') return { status: unprocessableStatus, title: ownTitle, description };
    const { status, title } = failureOf(new AppError(code as ErrorCode, description));
    return { status, title, description };
  }),
  ...Object.entries(edgeMeanings).map(([status, description]) => ({
    status: Number(status),
    title: failureOfStatus(Number(status)).title,
    description,
  })),
].sort((one, other) => one.status - other.status);

/** The problem document of every refusal (RFC 9457). Its `status` is what a program goes by. */
export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'Why a request was refused (RFC 9457). The status says which of a closed set of problems it is.',
  required: ['type', 'title', 'status', 'detail', 'reference'],
  properties: {
    type: { type: 'string', const: 'about:blank', description: 'The status says it all.' },
    title: { type: 'string', description: 'The problem in a few words; the same for each status.' },
    status: { type: 'integer', description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What happened and what to do, for a person.' },
    reference: { type: 'string', description: 'The id that the server’s log has too.' },
    fields: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Problems by field, each a sentence for a person.',
    },
  },
};

/** The response object of one kind of refusal; `description` says when this operation gives it. */
export function problemResponse(code: RefusalCode, description = meanings[code]): ResponseObject {
  const text = (about: string): { description: string; schema: JsonSchema } => ({
    description: about,
    schema: { type: 'string' },
  });
  const headers = {
    ...((code === 'unauthenticated' || code === 'forbidden') && {
      'WWW-Authenticate': text('Which access token it takes (RFC 6750 §3).'),
    }),
    ...((code === 'rate_limited' || code === 'unavailable') && { 'Retry-After': text('Seconds to wait.') }),
  };
  return {
    description,
    ...(Object.keys(headers).length > 0 && { headers }),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** The same for refusals that come before the operation: a body that is too long, or no JSON. */
export const edgeResponse = (status: keyof typeof edgeMeanings): ResponseObject => ({
  description: edgeMeanings[status] ?? '',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

export const problemStatus = (code: RefusalCode): string =>
  String(code === 'unprocessable' ? unprocessableStatus : statusOf(code));

/** Answers 422 as every other problem is answered. */
export function writeUnprocessable(ctx: Context, { message, details }: Unprocessable): void {
  const { fields, retryAfter } = details;
  if (retryAfter !== undefined) ctx.set('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
  ctx.state.refusal = { code: 'unprocessable' };
  const problem = { type: 'about:blank', title: ownTitle, status: unprocessableStatus, detail: message };
  const reference = String(ctx.state.requestId ?? '');
  ctx.body = JSON.stringify({ ...problem, reference, ...(fields && { fields }) });
  ctx.type = 'application/problem+json';
  ctx.status = unprocessableStatus;
}
