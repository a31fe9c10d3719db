import type { IncomingMessage } from 'node:http';
import { isIP, SocketAddress } from 'node:net';
import { familyOf, readNetworks } from '../../shared/networks.ts';
import { arrivalOf } from './arrival.ts';
import type { Caller, EdgeMiddleware } from './context.ts';

/**
 * An IP address in its one canonical spelling, or undefined when `text` is none. It takes what proxies write: a port
 * behind it, brackets, quotes (RFC 7239 §6), a zone, an IPv4 address mapped into IPv6.
 */
export function canonicalAddress(text: string): string | undefined {
  let address = text.trim();
  if (address.length > 64) return undefined;
  if (address.startsWith('"') && address.endsWith('"')) address = address.slice(1, -1);
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(address);
  if (bracketed?.[1]) address = bracketed[1];
  else if (/^[\d.]+:\d{1,5}$/.test(address)) address = address.slice(0, address.lastIndexOf(':'));
  address = address.replace(/%.*$/, '');
  if (isIP(address) === 0) return undefined;
  if (isIP(address) === 4) return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(canonical)?.[1] ?? canonical;
}

interface Peer {
  readonly address: string | undefined;
  readonly trusted: boolean;
}

/** Peers that are remembered; there are as many as proxies or, without any, as clients with open connections. */
const maxPeers = 1_000;

const headerOf = (req: IncomingMessage, name: string): string => String(req.headers[name] ?? '');

/**
 * Finds out who is calling. Only headers from trusted proxies count; they are walked from the right, and the first
 * address that is not a trusted proxy is the client's. What is left of it anybody may have written.
 * @throws RangeError when an entry of `trustedProxies` is not an address or CIDR range.
 */
export function createCallerReader(options: {
  readonly trustedProxies: readonly string[];
}): (req: IncomingMessage) => Caller {
  const list = readNetworks(
    options.trustedProxies,
    (entry) => new RangeError(`"${entry}" in SALLYPORT_TRUSTED_PROXIES is not an IP address or CIDR range.`),
  );
  const trusts = (address: string): boolean => list.check(address, familyOf(address));
  const peers = new Map<string, Peer>();

  const peerOf = (remote: string): Peer => {
    let peer = peers.get(remote);
    if (!peer) {
      const address = canonicalAddress(remote);
      peer = { address, trusted: address !== undefined && trusts(address) };
      if (peers.size >= maxPeers) peers.clear();
      peers.set(remote, peer);
    }
    return peer;
  };

  const walk = (peer: string, header: string): string => {
    let client = peer;
    for (const entry of header.split(',').reverse()) {
      const address = canonicalAddress(entry);
      if (address === undefined) break;
      client = address;
      if (!trusts(address)) break;
    }
    return client;
  };

  return (req) => {
    const { address, trusted } = peerOf(req.socket.remoteAddress ?? '');
    if (address === undefined || !trusted)
      return { ip: address ?? 'unknown', trustedPeer: false, clientProtocol: 'http' };
    const protocol = headerOf(req, 'x-forwarded-proto').split(',').at(-1)?.trim().toLowerCase();
    return {
      ip: walk(address, headerOf(req, 'x-forwarded-for')),
      trustedPeer: true,
      clientProtocol: protocol === 'https' ? 'https' : 'http',
    };
  };
}

/** Puts who is calling onto the context; see {@link createCallerReader}. */
export function createClientAddress(options: { readonly trustedProxies: readonly string[] }): EdgeMiddleware {
  const read = createCallerReader(options);
  return function clientAddress(ctx, next) {
    Object.assign(ctx.state, arrivalOf(ctx.req)?.caller ?? read(ctx.req));
    ctx.request.ip = ctx.state.ip;
    return next();
  };
}
