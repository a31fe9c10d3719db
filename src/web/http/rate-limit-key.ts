import { isIP } from 'node:net';
import { sha256 } from '../../shared/crypto.ts';

/** The eight groups of an IPv6 address; an IPv4 tail counts as two. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const split = (part: string): string[] =>
    part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? [group, '0'] : [group]));
  const front = split(head);
  if (tail === undefined) return front;
  const back = split(tail);
  return [...front, ...Array<string>(Math.max(8 - front.length - back.length, 0)).fill('0'), ...back];
}

/** What an address counts as: itself, or for IPv6 the /64 around it, which is one customer's to pick addresses from. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const network = groupsOf(address).slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** A principal as it is stored: of one length, and nothing to read in a dump. An address counts as {@link addressKey}. */
export const storedKey = (principal: string): string => sha256(addressKey(principal));
