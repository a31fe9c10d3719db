import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { metaOf } from '../request-meta.ts';
import { authenticate, type BearerNeeds } from './bearer.ts';
import type { Operation } from './operation.ts';

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

/** Answers one request: who asks, what they send, the handler, and whether its answer is what was promised. */
export async function runOperation(needs: BearerNeeds, operation: Operation, ctx: Context): Promise<void> {
  const { access, params, query, body, replies } = operation;
  const caller = await authenticate(needs, ctx, access);
  const given = readQuery(ctx);
  const answer = await operation.handler({
    caller,
    params: params && check(params, { ...ctx.params }),
    query: check(query ?? z.strictObject({}), given),
    body: body && check(body, readJson(ctx)),
    meta: metaOf(ctx),
  });
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
