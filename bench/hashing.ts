import { argon2Cost } from './target.ts';

/** Hashes of the same cost: by `argon2`, which most servers take, or by the faster one that Sallyport takes. */
export type HashLibrary = 'argon2' | '@node-rs/argon2';

export interface Hashing {
  hash(password: string): Promise<string>;
  verify(phc: string, password: string): Promise<boolean>;
}

/** Loads a library that hashes on the libuv pool. @throws RangeError for a name that is none. */
export async function loadHashing(library: string | undefined): Promise<Hashing> {
  const cost = { memoryCost: argon2Cost.memoryKiB, timeCost: argon2Cost.passes, parallelism: 1 };
  if (library === '@node-rs/argon2') {
    const { hash, verify } = await import('@node-rs/argon2');
    return { hash: (password) => hash(password, cost), verify };
  }
  if (library !== 'argon2') throw new RangeError(`There is no library ${library} here.`);
  const { default: argon2 } = await import('argon2');
  return { hash: (password) => argon2.hash(password, cost), verify: argon2.verify };
}
