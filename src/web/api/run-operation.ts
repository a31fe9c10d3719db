import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { metaOf } from '../request-meta.ts';
import { authenticate, type CallerNeeds } from './authenticate.ts';
import { challenge } from './bearer.ts';
import type { Operation } from './operation.ts';
import { writeUnprocessable } from './problems.ts';
import { Unprocessable } from './unprocessable.ts';

const refused = (fields: Readonly<Record<string, string>>): AppError =>
  new AppError('invalid_input', 'Some of the request cannot be accepted.', { fields });

/** Checks a part of the request. The problems are named by their path inside it. */
function check(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields: Record<string, string> = Object.create(null);
  for (const issue of result.error.issues.slice(0, 50)) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.') || 'body'];
    const message = issue.code === 'unrecognized_keys' ? 'There is no such field.' : issue.message;
    for (const name of names.slice(0, 50)) fields[name.slice(0, 100)] ??= message;
  }
  throw refused({ ...fields });
}

/** Query parameters, each once: a second one would be read by one reader and overlooked by the next. */
function readQuery(ctx: Context): Record<string, string> {
  const seen = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(ctx.querystring)) {
    if (seen.has(name)) throw refused({ [name.slice(0, 100)]: 'It is there twice.' });
    seen.set(name, value);
  }
  return Object.fromEntries(seen);
}

function readJson(ctx: Context): unknown {
  const bytes = ctx.state.body as Buffer | undefined;
  if (!bytes || bytes.length === 0) throw refused({ body: 'Send a JSON body.' });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refused({ body: 'It is not JSON in UTF-8.' });
  }
}

/** The headers that an operation reads, by the names that it gives them. */
function readHeaders(ctx: Context, { shape }: z.ZodObject): Record<string, string> {
  const given = Object.keys(shape).map((name) => [name, ctx.get(name)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

/** What a domain refuses, in the words of the API. */
function translate({ issuer }: CallerNeeds, { access, params }: Operation, ctx: Context, thrown: unknown): unknown {
  if (!(thrown instanceof AppError)) return thrown;
  const { fields, retryAfter } = thrown.details;
  // A value that has the right form is no fault of form.
  if (thrown.code === 'invalid_input') {
    return new Unprocessable(thrown.message, { retryAfter, ...(fields && { fields }) });
  }
  if (thrown.code !== 'not_found' || access.kind !== 'person' || params) return thrown;
  // Where nothing was named, it is the caller's account that is gone since they were let in.
  challenge(ctx, issuer, { error: 'invalid_token' });
  return new AppError('unauthenticated', 'The account cannot be used any more. Nothing was changed.');
}

type Answer = Awaited<ReturnType<Operation['handler']>>;
type Input = Parameters<Operation['handler']>[0];

/** The handler's answer; undefined when it refused with 422, which is written by then. */
async function handle(needs: CallerNeeds, operation: Operation, input: Input): Promise<Answer | undefined> {
  try {
    return await operation.handler(input);
  } catch (thrown) {
    const refusal = translate(needs, operation, input.ctx, thrown);
    if (!(refusal instanceof Unprocessable)) throw refusal;
    writeUnprocessable(input.ctx, refusal);
    return undefined;
  }
}

const safeMethods: ReadonlySet<string> = new Set(['get']);

/** What the body asks for may want more of its caller than the operation does. */
async function demandMore(needs: CallerNeeds, { alsoNeeds }: Operation, ctx: Context, body: unknown): Promise<void> {
  const more = alsoNeeds?.(body);
  if (more) await authenticate(needs, ctx, more);
}

/** Answers one request: who asks, what they send, the handler, and whether its answer is what was promised. */
export async function runOperation(needs: CallerNeeds, operation: Operation, ctx: Context): Promise<void> {
  const { access, params, query, headers, body, replies } = operation;
  const caller = await authenticate(needs, ctx, access);
  if (caller && !safeMethods.has(operation.method)) await needs.limits.change(caller.account.id);
  const given = readQuery(ctx);
  const input = {
    caller,
    params: params && check(params, { ...ctx.params }),
    query: check(query ?? z.strictObject({}), given),
    headers: headers && check(headers, readHeaders(ctx, headers)),
    body: body && check(body, readJson(ctx)),
    meta: metaOf(ctx),
    ctx,
  };
  await demandMore(needs, operation, ctx, input.body);
  const answer = await handle(needs, operation, input);
  if (!answer) return;
  const reply = replies[answer.status];
  if (!reply) throw new Error(`${operation.id} answered ${answer.status}, which it does not describe.`);
  ctx.status = answer.status;
  ctx.set({ ...answer.headers });
  if (!reply.body) {
    ctx.body = null;
    ctx.status = answer.status;
    return;
  }
  // What the schema does not name is not sent, and an answer that breaks it is a defect of ours.
  ctx.body = JSON.stringify(reply.body.parse(answer.body));
  ctx.type = 'application/json';
}
