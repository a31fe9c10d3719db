// Bare argon2id: as many hashes at once as there are cores, on the libuv pool, nothing else.
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { measure } from './measure.ts';
import { argon2Cost } from './target.ts';

const password = 'correct horse battery staple';
const known = await hash(password, { memoryCost: argon2Cost.memoryKiB, timeCost: argon2Cost.passes, parallelism: 1 });

process.on('message', async (seconds: number) => {
  const before = process.cpuUsage();
  const result = await measure(availableParallelism(), seconds, async () => {
    if (!(await verify(known, password))) throw new Error('the password did not match');
  });
  const { user, system } = process.cpuUsage(before);
  process.send?.({ ...result, cpuMicros: user + system });
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
