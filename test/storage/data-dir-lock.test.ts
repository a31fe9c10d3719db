import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DataDirInUse, lockDataDir } from '../../src/storage/data-dir-lock.ts';
import { openPglite } from '../../src/storage/pglite.ts';

const holder = `
  const { lockDataDir } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/storage/data-dir-lock.ts'))});
  lockDataDir(process.argv[1]);
  globalThis.gc();
  process.stdout.write('locked');
  setInterval(() => undefined, 1000);
`;

describe('data directory lock', () => {
  let dir: string;

  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), 'sallyport-lock-')), 'data');
  });

  afterEach(() => {
    rmSync(join(dir, '..'), { recursive: true, force: true });
  });

  it('refuses a second process, naming the first, until that one is gone, even by kill -9', async () => {
    const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', holder, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const refusal = await openPglite(dir).catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(DataDirInUse).with.property('pid', child.pid);
      expect((refusal as Error).message)
        .to.contain(String(child.pid))
        .and.contain(dir)
        .and.contain('SALLYPORT_DATA_DIR');
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
    lockDataDir(dir)[Symbol.dispose]();
  });

  it('refuses a second opener in the same process, and lets go when disposed', () => {
    const lock = lockDataDir(dir);
    expect(() => lockDataDir(dir)).to.throw(DataDirInUse, String(process.pid));
    lock[Symbol.dispose]();
    const next = lockDataDir(dir);
    lock[Symbol.dispose]();
    expect(() => lockDataDir(dir), 'letting go twice ends no other lock').to.throw(DataDirInUse);
    next[Symbol.dispose]();
  });

  it('keeps the directory to its owner', () => {
    lockDataDir(dir)[Symbol.dispose]();
    expect(statSync(dir).mode & 0o777).to.equal(0o700);
  });

  it('lets go when opening fails', async () => {
    const { mkdirSync, writeFileSync } = await import('node:fs');
    mkdirSync(join(dir, 'database'), { recursive: true });
    writeFileSync(join(dir, 'database', 'PG_VERSION'), '12');
    expect(await openPglite(dir).catch((error: unknown) => error)).to.be.instanceOf(Error);
    lockDataDir(dir)[Symbol.dispose]();
  });
});
