// The body of a hashing thread. It is started by hash-thread.ts and imports nothing that needs the rest of the server.
import { randomBytes } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { parseForeignHash, problemOf } from './foreign-hash.ts';
import type { HashAnswer, HashEngine, HashTask, ThreadSettings } from './hash-task.ts';
import { type HashCost, missingWork } from './password.ts';

interface Argon2 {
  derive(text: string, salt: Uint8Array, cost: HashCost): Uint8Array | Promise<Uint8Array>;
  /** @throws when the hash cannot be read. */
  verify(phc: string, text: string): boolean | Promise<boolean>;
}

async function loadFast(): Promise<Argon2> {
  const argon2 = await import('@node-rs/argon2');
  return {
    derive: (text, salt, { memoryKiB, passes }) =>
      argon2.hashRawSync(text, { salt, memoryCost: memoryKiB, timeCost: passes, parallelism: 1, outputLen: 32 }),
    verify: (phc, text) => argon2.verifySync(phc, text),
  };
}

/** Runs on the process's libuv pool, so it is slower and in the way of others; but it exists for more platforms. */
async function loadPortable(): Promise<Argon2> {
  const { default: argon2 } = await import('argon2');
  return {
    derive: (text, salt, { memoryKiB, passes }) =>
      argon2.hash(text, {
        salt: Buffer.from(salt),
        memoryCost: memoryKiB,
        timeCost: passes,
        parallelism: 1,
        hashLength: 32,
        raw: true,
      }),
    verify: (phc, text) => argon2.verify(phc, text),
  };
}

const load = (engine: HashEngine | undefined): Promise<Argon2> =>
  engine === 'portable' ? loadPortable() : engine === 'fast' ? loadFast() : loadFast().catch(loadPortable);

type Comparison = 'match' | 'mismatch' | 'malformed';

async function compare(argon2: Argon2, phc: string, texts: readonly string[]): Promise<Comparison> {
  const hash = parseForeignHash(phc);
  // A row that was written past the import could ask for more than there is.
  if (!hash || problemOf(hash) !== undefined) return 'malformed';
  try {
    if (hash.kind === 'argon2') {
      for (const text of texts) if (await argon2.verify(phc, text)) return 'match';
      return 'mismatch';
    }
    // Loaded where users were imported only.
    const { verifyForeignHash } = await import('./foreign-hash-verify.ts');
    return texts.some((text) => verifyForeignHash(hash, text)) ? 'match' : 'mismatch';
  } catch {
    return 'malformed';
  }
}

/** Milliseconds that a whole hash took here at the last look. */
let wholeHash: number | undefined;

/** The work that a mismatch still owes; what is not argon2 is compared with it by time. */
function owedWork(phc: string, result: Comparison, cost: HashCost, milliseconds: number): HashCost | undefined {
  if (result === 'malformed') return cost;
  if (phc.startsWith('$argon2')) return missingWork(phc, cost);
  const share = wholeHash === undefined ? 1 : 1 - milliseconds / wholeHash;
  const memoryKiB = Math.round(cost.memoryKiB * share);
  return memoryKiB < 8 ? undefined : { ...cost, memoryKiB };
}

async function answer(argon2: Argon2, task: HashTask): Promise<HashAnswer> {
  if (task.kind === 'derive') {
    const hashes: Uint8Array[] = [];
    for (const text of task.texts) hashes.push(await argon2.derive(text, task.salt, task.cost));
    return { kind: 'derived', hashes };
  }
  const { phc, texts, cost } = task;
  const started = performance.now();
  const result = await compare(argon2, phc, texts);
  const compared = performance.now();
  // A cheap or unreadable hash must not answer faster than an account that does not exist.
  const missing = result === 'match' ? undefined : owedWork(phc, result, cost, compared - started);
  if (missing) await argon2.derive(texts[0] ?? '', randomBytes(16), missing);
  if (missing?.memoryKiB === cost.memoryKiB) wholeHash = performance.now() - compared;
  return { kind: 'verified', result };
}

/** On Linux this is the priority of the calling thread alone; elsewhere it would slow the whole process. */
function stepBack(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, 5);
  } catch {
    // Not permitted here; hashing then competes as an equal.
  }
}

if (parentPort) {
  const port = parentPort;
  stepBack();
  const argon2 = await load((workerData as ThreadSettings).engine);
  port.on('message', (task: HashTask) => {
    // A task that cannot be done ends the thread; its owner tells the caller and starts another.
    void answer(argon2, task).then((result) => port.postMessage(result));
  });
}
