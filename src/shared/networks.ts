import { BlockList, isIP } from 'node:net';

/** The family of an address, as Node's network functions name it. */
export const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** An address with the bits of it that count, or undefined when the text is neither an IP address nor a CIDR range. */
function parseNetwork(text: string): { readonly address: string; readonly bits: number } | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const widest = isIP(address) === 4 ? 32 : 128;
  const sound = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widest);
  if (isIP(address) === 0 || rest.length > 0 || !sound) return undefined;
  return { address, bits: bits === undefined ? widest : Number(bits) };
}

/** Whether this is an IP address or a CIDR range. */
export const isNetwork = (text: string): boolean => parseNetwork(text) !== undefined;

/** A list of addresses and CIDR ranges. @throws what `refusal` makes of the first entry that is neither. */
export function readNetworks(entries: readonly string[], refusal: (entry: string) => Error): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const network = parseNetwork(entry);
    if (!network) throw refusal(entry);
    list.addSubnet(network.address, network.bits, familyOf(network.address));
  }
  return list;
}
