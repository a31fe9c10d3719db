import { BlockList, isIP } from 'node:net';
import { familyOf, readNetworks } from '../shared/networks.ts';

/** Says which addresses requests may go to. */
export interface NetworkGuard {
  allows(address: string): boolean;
  /** What is said of an address that is not allowed. */
  readonly refusal: string;
}

// RFC 6890 and its registry: what is not on the public internet, multicast and reserved space included. The metadata
// services of clouds are in 169.254.0.0/16 and fd00::/8.
const closed4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;

// Of IPv6 only global unicast is open; within it, what carries IPv4 addresses or is documentation.
const closed6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

function publicSpace(): (address: string) => boolean {
  const [closed, global6] = [new BlockList(), new BlockList()];
  for (const [net, bits] of closed4) closed.addSubnet(net, bits, 'ipv4');
  for (const [net, bits] of closed6) closed.addSubnet(net, bits, 'ipv6');
  global6.addSubnet('2000::', 3, 'ipv6');
  return (address) => {
    const family = familyOf(address);
    return !closed.check(address, family) && (family === 'ipv4' || global6.check(address, 'ipv6'));
  };
}

/** An IPv4 address that is written as an IPv6 one, else the address itself, without zone. */
function bare(address: string): string {
  const text = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(text);
  if (!hex) return text;
  const [high, low] = [Number.parseInt(hex[1] ?? '', 16), Number.parseInt(hex[2] ?? '', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * Keeps requests whose address somebody typed off private networks, this machine and the metadata services of clouds.
 * @param options.variable name of the setting that `networks` comes from, for what operators read; left out if there is none
 * @param options.networks addresses and CIDR ranges that are allowed all the same
 * @param options.anywhere development: no address is refused
 * @throws RangeError for an entry of `networks` that cannot be read.
 */
export function createNetworkGuard(options: {
  readonly variable?: string;
  readonly networks: readonly string[];
  readonly anywhere: boolean;
}): NetworkGuard {
  const { variable, networks, anywhere } = options;
  const allowed = readNetworks(
    networks,
    (entry) => new RangeError(`"${entry}" in ${variable} is not an IP address or CIDR range.`),
  );
  const isPublic = publicSpace();
  return {
    refusal: `The address is not public${variable ? `, and ${variable} does not name it` : ''}.`,
    allows(given) {
      const address = bare(given);
      if (isIP(address) === 0) return false;
      return anywhere || isPublic(address) || allowed.check(address, familyOf(address));
    },
  };
}
