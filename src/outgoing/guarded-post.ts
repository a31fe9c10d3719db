import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { reasonOf } from '../shared/errors.ts';
import { answerHead } from './answer-head.ts';
import { guardedLookup, isClosed, Refused, type Resolve, resolveAll } from './guarded-lookup.ts';
import type { NetworkGuard } from './network-guard.ts';
import { withinTime } from './within-time.ts';

/** How a request went: an HTTP status, or why there was none; `refused` when the address itself will not do. */
export type PostResult = { readonly status: number } | { readonly error: string; readonly refused: boolean };

/** Posts once. It follows no redirect, uses no proxy, keeps no connection and never throws. */
export type GuardedPost = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal?: AbortSignal,
) => Promise<PostResult>;

/** Answers beyond this are cut; only the status counts. */
const longestAnswer = 64 * 1024;

function skim(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => undefined);
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestAnswer) answer.destroy();
  });
  // Nobody waits for the rest, and the end of the process neither.
  answer.socket.unref();
}

async function resultOf(head: Promise<IncomingMessage>, lateness: () => string | undefined): Promise<PostResult> {
  try {
    const answer = await head;
    skim(answer);
    return { status: answer.statusCode ?? 0 };
  } catch (error) {
    return { error: lateness() ?? reasonOf(error), refused: error instanceof Refused };
  }
}

/**
 * Makes a way by which requests leave whose addresses somebody typed: each one that is connected to is asked for first
 * (server-side request forgery).
 * @param options.seconds for all of it: name, connection, TLS and answer
 */
export function createGuardedPost(options: {
  readonly guard: NetworkGuard;
  readonly seconds: number;
  readonly resolve?: Resolve;
}): GuardedPost {
  const { guard, seconds, resolve = resolveAll } = options;
  const lookup = guardedLookup(guard, resolve);
  return async (url, headers, body, signal) => {
    const target = URL.parse(url);
    if (!target) return { error: 'The address cannot be read.', refused: true };
    if (isClosed(guard, target)) return { error: guard.refusal, refused: true };
    const late = AbortSignal.timeout(seconds * 1000);
    const settings: RequestOptions = {
      method: 'POST',
      agent: false,
      lookup,
      signal: signal ? AbortSignal.any([late, signal]) : late,
      headers: { ...headers, 'user-agent': 'Sallyport', 'content-length': Buffer.byteLength(body) },
    };
    const request = target.protocol === 'https:' ? secureRequest : plainRequest;
    const tooLate = `There was no answer within ${seconds} seconds.`;
    const asked = resultOf(answerHead(request(target, settings), body), () => (late.aborted ? tooLate : undefined));
    return withinTime(asked, { seconds: seconds + 1, cut: signal }, () => ({ error: tooLate, refused: false }));
  };
}
