import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { reasonOf } from '../shared/errors.ts';
import type { NetworkGuard } from './network-guard.ts';

/** Finds all addresses of a name. */
export type Resolve = (
  hostname: string,
  answer: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** How a request went: an HTTP status, or why there was none. */
export type PostResult = { readonly status: number } | { readonly error: string };

const resolveAll: Resolve = (hostname, answer) =>
  systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => answer(error, addresses ?? []));

const refused = 'The address is not public, and SALLYPORT_WEBHOOK_NETWORKS does not name it.';

/** Looks a name up for the socket itself, so that what was checked is what is connected to. */
function guardedLookup(guard: NetworkGuard, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const allowed = addresses.filter(({ address }) => guard.allows(address));
      const [first] = allowed;
      if (error || !first) callback(error ?? new Error(refused), '', 0);
      else if (options.all) callback(null, [...allowed]);
      else callback(null, first.address, first.family);
    });
  };
}

/** Answers beyond this are cut; only the status counts. */
const longestAnswer = 64 * 1024;

function skim(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => undefined);
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestAnswer) answer.destroy();
  });
}

/** Posts JSON once. It follows no redirect, uses no proxy and keeps no connection. */
export type PostMessage = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal?: AbortSignal,
) => Promise<PostResult>;

/** Makes the one way by which webhooks leave. `seconds` is for all of it: name, connection, TLS and answer. */
export function createPostMessage(options: {
  readonly guard: NetworkGuard;
  readonly seconds: number;
  readonly resolve?: Resolve;
}): PostMessage {
  const { guard, seconds, resolve = resolveAll } = options;
  const lookup = guardedLookup(guard, resolve);
  return (url, headers, body, signal) => {
    const target = new URL(url);
    // A literal address is never looked up.
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !guard.allows(literal)) return Promise.resolve({ error: refused });
    const late = AbortSignal.timeout(seconds * 1000);
    const settings: RequestOptions = {
      method: 'POST',
      agent: false,
      lookup,
      signal: signal ? AbortSignal.any([late, signal]) : late,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'user-agent': 'Sallyport',
        'content-length': Buffer.byteLength(body),
      },
    };
    return new Promise((settle) => {
      const request = target.protocol === 'https:' ? secureRequest : plainRequest;
      const outgoing = request(target, settings, (answer) => {
        skim(answer);
        settle({ status: answer.statusCode ?? 0 });
      });
      outgoing.on('error', (error) => {
        settle({ error: late.aborted ? `There was no answer within ${seconds} seconds.` : reasonOf(error) });
      });
      outgoing.end(body);
    });
  };
}
