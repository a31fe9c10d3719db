import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { NetworkGuard } from './network-guard.ts';

/** Finds all addresses of a name. */
export type Resolve = (
  hostname: string,
  answer: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Asks the system. */
export const resolveAll: Resolve = (hostname, answer) =>
  systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => answer(error, addresses ?? []));

/** The address itself will not do. */
export class Refused extends Error {}

/** Looks a name up for the socket itself, so that what was checked is what is connected to. */
export function guardedLookup(guard: NetworkGuard, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const allowed = addresses.filter(({ address }) => guard.allows(address));
      const [first] = allowed;
      if (error || !first) callback(error ?? new Refused(guard.refusal), '', 0);
      else if (options.all) callback(null, [...allowed]);
      else callback(null, first.address, first.family);
    });
  };
}

/** Whether this is a literal address, which no socket looks up, that is not allowed. */
export function isClosed(guard: NetworkGuard, { hostname }: URL): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '');
  return isIP(literal) !== 0 && !guard.allows(literal);
}
