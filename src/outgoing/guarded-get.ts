import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { answerHead } from './answer-head.ts';
import { guardedLookup, isClosed, Refused, type Resolve, resolveAll } from './guarded-lookup.ts';
import type { NetworkGuard } from './network-guard.ts';
import { withinTime } from './within-time.ts';

/** A small document: an answer of status 200. Names of headers are in lower case. */
export interface Document {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Gets a small document. It follows a few redirects, uses no proxy and keeps no connection.
 * @throws Error that says why there is none: another status, too long, too late, or an address that will not do
 */
export type GuardedGet = (url: string, headers: Readonly<Record<string, string>>) => Promise<Document>;

const mostRedirects = 3;

const textHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );

/** Takes the body of an answer, and no more of it than is allowed. */
function collect(answer: IncomingMessage, longest: number): Promise<Buffer> {
  return new Promise((settle, fail) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (reason: string): void => {
      fail(new Error(reason));
      answer.destroy();
    };
    answer.on('error', fail);
    answer.on('close', () => fail(new Error('The answer ended too early.')));
    answer.on('end', () => settle(Buffer.concat(chunks)));
    // Nobody asked for it, and a small one may become large.
    if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') return stop('The answer is compressed.');
    if (Number(answer.headers['content-length']) > longest) return stop('The answer is too long.');
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > longest) stop('The answer is too long.');
      else chunks.push(chunk);
    });
  });
}

/** Where an answer leads to, if it is a redirect; never from https to plain http. */
function nextOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined;
  const to = URL.parse(headers.location, from.href);
  if (!to || (to.protocol !== 'https:' && to.protocol !== from.protocol)) throw new Error('The redirect will not do.');
  return to;
}

/**
 * Makes a way to read documents whose addresses somebody typed: each address is asked for before it is connected to, also
 * those of redirects (server-side request forgery).
 * @param options.seconds for all of it, redirects included
 * @param options.longest bytes of a body
 */
export function createGuardedGet(options: {
  readonly guard: NetworkGuard;
  readonly seconds: number;
  readonly longest: number;
  readonly resolve?: Resolve;
}): GuardedGet {
  const { guard, seconds, longest, resolve = resolveAll } = options;
  const lookup = guardedLookup(guard, resolve);

  const follow = async (url: string, settings: RequestOptions): Promise<Document> => {
    let target = new URL(url);
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      if (isClosed(guard, target)) throw new Refused(guard.refusal);
      const request = target.protocol === 'https:' ? secureRequest : plainRequest;
      const answer = await answerHead(request(target, settings));
      // What ends while nobody reads it is an error only for who reads.
      answer.on('error', () => undefined);
      try {
        const next = nextOf(answer, target);
        if (!next && answer.statusCode !== 200) throw new Error(`The answer was ${answer.statusCode}.`);
        if (!next) return { headers: textHeaders(answer), body: await collect(answer, longest) };
        target = next;
      } finally {
        answer.destroy();
      }
    }
    throw new Error('There are too many redirects.');
  };

  return async (url, headers) => {
    const late = AbortSignal.timeout(seconds * 1000);
    const asked = { accept: 'application/json', ...headers, 'user-agent': 'Sallyport', 'accept-encoding': 'identity' };
    const reason = `There was no answer within ${seconds} seconds.`;
    const found = follow(url, { agent: false, lookup, signal: late, headers: asked }).catch((error: unknown) => {
      throw late.aborted ? new Error(reason) : error;
    });
    const document = await withinTime<Document | undefined>(found, { seconds: seconds + 1 }, () => undefined);
    if (!document) throw new Error(reason);
    return document;
  };
}
