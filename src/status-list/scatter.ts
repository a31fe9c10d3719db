import { createHash } from 'node:crypto';

const rounds = 4;

/**
 * A secret order of the numbers below 2^bits (an even number of bits): a Feistel network whose round functions are
 * tables made from the seed. Neighbours at the input are no neighbours at the output, and no two meet there.
 */
export function createScatter(seed: string, bits: number): (position: number) => number {
  const half = bits / 2;
  const size = 2 ** half;
  const bytes = createHash('shake256', { outputLength: rounds * size * 2 })
    .update(seed)
    .digest();
  const mask = size - 1;
  return (position) => {
    let left = position >>> half;
    let right = position & mask;
    for (let round = 0; round < rounds; round += 1) {
      const mixed = left ^ (bytes.readUInt16LE((round * size + right) * 2) & mask);
      left = right;
      right = mixed;
    }
    return (left << half) | right;
  };
}
