import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import argon2 from 'argon2';
import { expect } from 'chai';
import type { HashEngine } from '../../src/credentials/hash-task.ts';
import { createPasswordHasher, type PasswordHasher } from '../../src/credentials/password-hasher.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';

const cheap = { memoryKiB: 256, passes: 1 };

for (const engine of ['fast', 'portable'] satisfies HashEngine[]) {
  describe(`the password hasher, ${engine} engine`, () => {
    let hasher: PasswordHasher;

    before(() => {
      hasher = createPasswordHasher({ ...cheap, workers: 2, queue: 50, engine, logger: silentLogger() });
    });
    after(() => hasher[Symbol.asyncDispose]());

    it('makes argon2id hashes that the argon2 package verifies, each with its own salt', async () => {
      const [one, two] = await Promise.all([hasher.hash('open sesame'), hasher.hash('open sesame')]);
      expect(one)
        .to.match(/^\$argon2id\$v=19\$m=256,t=1,p=1\$/)
        .and.not.equal(two);
      expect(await argon2.verify(one, 'open sesame')).to.equal(true);
      expect(await hasher.verify(one, 'open sesame')).to.equal('match');
      expect(await hasher.verify(one, 'Open sesame')).to.equal('mismatch');
    });

    it('verifies hashes of other types, versions and lanes', async () => {
      const cost = { memoryCost: 256, timeCost: 2 };
      const kinds: { type?: 0 | 1; version?: number; parallelism?: number }[] = [
        { type: 0 },
        { type: 1 },
        { version: 0x10 },
        { parallelism: 3 },
      ];
      for (const options of kinds) {
        const foreign = await argon2.hash('open sesame', { ...cost, ...options, raw: false });
        expect(await hasher.verify(foreign, 'open sesame'), foreign).to.equal('match');
        expect(await hasher.verify(foreign, 'open'), foreign).to.equal('mismatch');
      }
    });

    it('never matches a missing or malformed hash, and does not throw', async () => {
      expect(await hasher.verify(undefined, 'open sesame')).to.equal('mismatch');
      for (const bad of ['', 'x', 'plain:open sesame', '$argon2id$v=19$m=256,t=1,p=1$']) {
        expect(await hasher.verify(bad, 'open sesame'), bad).to.equal('malformed');
      }
    });

    it('derives the same hashes from the same salt', async () => {
      const salt = Buffer.alloc(16, 7);
      const [one] = await hasher.derive(['a', 'b'], salt, cheap);
      const again = await hasher.derive(['a'], salt, cheap);
      expect(Buffer.from(one!)).to.deep.equal(Buffer.from(again[0]!));
      expect(await argon2.hash('a', { salt, memoryCost: 256, timeCost: 1, parallelism: 1, raw: true })).to.deep.equal(
        Buffer.from(one!),
      );
    });
  });
}

describe('the queue of the password hasher', () => {
  it('takes as many as may wait and refuses the others with 503 and Retry-After', async () => {
    await using hasher = createPasswordHasher({ ...cheap, workers: 2, queue: 5, logger: silentLogger() });
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => hasher.verify(undefined, 'x')));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as AppError] : []));
    expect(results.length - refused.length).to.equal(2 + 5);
    for (const error of refused) {
      expect(error).to.be.instanceOf(AppError);
      expect(error.code).to.equal('unavailable');
      expect(error.details.retryAfter).to.equal(2);
    }
    expect(hasher.waiting).to.equal(0);
    expect(await hasher.verify(undefined, 'x')).to.equal('mismatch');
  });

  it('tells whoever measures it when a task began and how it ended', async () => {
    const seen: string[] = [];
    let tasks = 0;
    await using hasher = createPasswordHasher({
      ...cheap,
      workers: 1,
      queue: 1,
      logger: silentLogger(),
      watch(operation) {
        tasks += 1;
        const name = `${operation} ${tasks}`;
        return { begun: () => seen.push(`${name} began`), end: (outcome) => seen.push(`${name} ${outcome}`) };
      },
    });
    await Promise.allSettled([hasher.hash('x'), hasher.verify(undefined, 'x'), hasher.hash('x')]);
    const [first, refused, ...rest] = seen;
    expect([first, refused]).to.deep.equal(['hash 1 began', 'hash 3 error']);
    expect(rest.sort()).to.deep.equal(['hash 1 ok', 'verify 2 began', 'verify 2 ok']);
  });

  it('outlives a thread that dies over a task', async () => {
    await using hasher = createPasswordHasher({ ...cheap, workers: 1, queue: 5, logger: silentLogger() });
    // A salt of one byte is more than argon2 can take, and ends the thread.
    const broken = hasher.derive(['a'], Buffer.alloc(1), cheap);
    const after = hasher.hash('open sesame');
    const error = await broken.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(AppError).with.property('code', 'unavailable');
    expect(await argon2.verify(await after, 'open sesame')).to.equal(true);
  });

  it('keeps no process alive, so a command that forgets it still ends', async function () {
    this.timeout(20_000);
    const hasherFile = new URL('../../src/credentials/password-hasher.ts', import.meta.url).href;
    const script = `
      import { createPasswordHasher } from ${JSON.stringify(hasherFile)};
      const hasher = createPasswordHasher({ memoryKiB: 256, passes: 1, workers: 2, queue: 5, logger: console });
      await Promise.all([hasher.hash('a'), hasher.hash('b')]);
      process.stdout.write('hashed');`;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { timeout: 15_000 });
    expect(stdout).to.equal('hashed');
  });

  it('refuses what waits when it is disposed, and everything after', async () => {
    // Dear enough that the first one is not over before the end comes.
    const dear = { memoryKiB: 65_536, passes: 3 };
    const hasher = createPasswordHasher({ ...cheap, ...dear, workers: 1, queue: 5, logger: silentLogger() });
    await hasher.hash('warm');
    const pending = Promise.allSettled([hasher.hash('a'), hasher.hash('b'), hasher.hash('c')]);
    await hasher[Symbol.asyncDispose]();
    const codes = (await pending).map((result) => (result.status === 'rejected' ? result.reason.code : 'done'));
    expect(codes).to.deep.equal(['unavailable', 'unavailable', 'unavailable']);
    const late = await hasher.hash('d').catch((reason: unknown) => reason);
    expect(late).to.be.instanceOf(AppError).with.property('code', 'unavailable');
  });
});
