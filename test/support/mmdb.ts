// Writes small databases in MaxMind DB format (version 2.0) for tests: the product bundles none.

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

const control = (type: number, size: number): Buffer => {
  const extended = type > 7;
  const first = (extended ? 0 : type << 5) | Math.min(size, size < 29 ? size : 29);
  const head = extended ? [first, type - 7] : [first];
  return Buffer.from(size < 29 ? head : [...head, size - 29]);
};

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return control(14, value ? 1 : 0);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return Buffer.concat([control(3, 8), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as Record<string, Value>);
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([key, inner]) => [encode(key), encode(inner)]),
  ]);
}

const unsigned = (type: 5 | 6 | 9, value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return value === 0 ? control(type, 0) : Buffer.concat([control(type, short.length), short]);
};

const bitsOf = (ipv4: string): number[] =>
  ipv4.split('.').flatMap((octet) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (Number(octet) >> bit) & 1));

/** A database of IPv4 networks such as `{'81.2.69.0/24': {country: {iso_code: 'GB'}}}`. */
export function mmdb(networks: Readonly<Record<string, Value>>): Buffer {
  type Node = [Slot, Slot];
  type Slot = Node | { at: number } | undefined;
  const root: Node = [undefined, undefined];
  const data: Buffer[] = [];
  let length = 0;
  for (const [network, value] of Object.entries(networks)) {
    const [address = '', size = '32'] = network.split('/');
    const path = bitsOf(address).slice(0, Number(size));
    let node = root;
    for (const bit of path.slice(0, -1)) {
      const next = node[bit];
      if (Array.isArray(next)) node = next;
      else node = node[bit] = [undefined, undefined];
    }
    node[path.at(-1) ?? 0] = { at: length };
    const encoded = encode(value);
    data.push(encoded);
    length += encoded.length;
  }
  const nodes: Node[] = [];
  const walk = (node: Node): void => {
    nodes.push(node);
    for (const side of node) if (Array.isArray(side)) walk(side);
  };
  walk(root);
  const record = (slot: Slot): number => {
    if (slot === undefined) return nodes.length;
    return Array.isArray(slot) ? nodes.indexOf(slot) : nodes.length + 16 + slot.at;
  };
  const tree = Buffer.alloc(nodes.length * 8);
  for (const [index, [left, right]] of nodes.entries()) {
    tree.writeUInt32BE(record(left), index * 8);
    tree.writeUInt32BE(record(right), index * 8 + 4);
  }
  const metadata = Buffer.concat([
    control(7, 9),
    ...[
      ['binary_format_major_version', unsigned(5, 2)],
      ['binary_format_minor_version', unsigned(5, 0)],
      ['build_epoch', unsigned(9, 1_700_000_000)],
      ['database_type', encode('Test-City')],
      ['description', encode({ en: 'Made for a test' })],
      ['ip_version', unsigned(5, 4)],
      ['languages', encode(['en'])],
      ['node_count', unsigned(6, nodes.length)],
      ['record_size', unsigned(5, 32)],
    ].flatMap(([key, value]) => [encode(key as string), value as Buffer]),
  ]);
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata]);
}
