import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { reasonOf } from '../shared/errors.ts';
import type { Answer } from './delivery.ts';

/** Finds all addresses of a name. */
type Resolve = (hostname: string, answer: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

/** Posts a logout token once. It follows no redirect, uses no proxy and never throws. */
export type LogoutPost = (url: string, logoutToken: string, signal: AbortSignal) => Promise<Answer>;

const resolveAll: Resolve = (hostname, answer) =>
  systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => answer(error, addresses ?? []));

class Refused extends Error {}

const refusal = 'The address is not public, and SALLYPORT_LOGOUT_NETWORKS does not name it.';

/** Looks a name up for the socket itself, so that what was checked is what is connected to. */
const guardedLookup =
  (allows: (address: string) => boolean, resolve: Resolve): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      const allowed = found.filter(({ address }) => allows(address));
      const [first] = allowed;
      if (error || !first) callback(error ?? new Refused(refusal), '', 0);
      else if (options.all) callback(null, [...allowed]);
      else callback(null, first.address, first.family);
    });
  };

/**
 * Makes the way by which logout tokens leave. The addresses are typed by whoever registers an app, so each one that is
 * connected to is asked for first (server-side request forgery).
 * @param options.seconds for all of it: name, connection, TLS and answer
 */
export function createLogoutPost(options: {
  readonly guard: { allows(address: string): boolean };
  readonly seconds: number;
  readonly resolve?: Resolve;
}): LogoutPost {
  const { guard, seconds, resolve = resolveAll } = options;
  const lookup = guardedLookup((address) => guard.allows(address), resolve);

  return (url, logoutToken, signal) => {
    const target = URL.parse(url);
    if (!target) return Promise.resolve({ error: 'The address cannot be read.', final: true });
    // A literal address is never looked up.
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !guard.allows(literal)) return Promise.resolve({ error: refusal, final: true });
    const body = new URLSearchParams({ logout_token: logoutToken }).toString();
    const late = AbortSignal.timeout(seconds * 1000);
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Sallyport',
    };
    return new Promise((settle) => {
      const request = target.protocol === 'https:' ? secureRequest : plainRequest;
      const settings = { method: 'POST', agent: false, lookup, headers, signal: AbortSignal.any([late, signal]) };
      const outgoing = request(target, settings, (answer) => {
        settle({ status: answer.statusCode ?? 0 });
        // Only the status counts, and the rest could be endless.
        answer.on('error', () => undefined).destroy();
      });
      outgoing.on('error', (error) => {
        const text = late.aborted ? `There was no answer within ${seconds} seconds.` : reasonOf(error);
        settle({ error: text, final: error instanceof Refused });
      });
      outgoing.end(body);
    });
  };
}
