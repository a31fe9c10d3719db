// Bare argon2id by the library that is named: as many hashes at once as there are cores, nothing else.
import { availableParallelism } from 'node:os';
import { loadHashing } from './hashing.ts';
import { measure } from './measure.ts';

const password = 'correct horse battery staple';
const { hash, verify } = await loadHashing(process.argv[2]);
const known = await hash(password);

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
