// The body of a hashing thread. It is started by hash-thread.ts and imports nothing that needs the rest of the server.
import { randomBytes } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
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

async function compare(argon2: Argon2, phc: string, text: string): Promise<'match' | 'mismatch' | 'malformed'> {
  try {
    return (await argon2.verify(phc, text)) ? 'match' : 'mismatch';
  } catch {
    return 'malformed';
  }
}

async function answer(argon2: Argon2, task: HashTask): Promise<HashAnswer> {
  if (task.kind === 'derive') {
    const hashes: Uint8Array[] = [];
    for (const text of task.texts) hashes.push(await argon2.derive(text, task.salt, task.cost));
    return { kind: 'derived', hashes };
  }
  const result = await compare(argon2, task.phc, task.text);
  // A cheap or unreadable hash must not answer faster than an account that does not exist.
  const missing = result === 'malformed' ? task.cost : missingWork(task.phc, task.cost);
  if (result !== 'match' && missing) await argon2.derive(task.text, randomBytes(16), missing);
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
