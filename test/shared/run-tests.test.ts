import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { forkMocha } from '../support/fork-mocha.ts';
import { LaneMissing } from '../support/postgres.ts';
import { ifThere } from '../support/redis.ts';

describe('the runner of these tests', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-run-'));
  });

  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const run = (source: string, env: Record<string, string> = {}) => {
    const file = join(dir, 'example.test.mjs');
    writeFileSync(file, source);
    return forkMocha([file], { env });
  };

  it('counts what passed, failed and was skipped', async () => {
    const counts = await run(`
      it('passes', () => {});
      it('passes too', async () => {});
      it('fails', () => { throw new Error('no'); });
      it.skip('is skipped', () => {});
    `);
    expect(counts).to.deep.include({ passed: 2, failed: 1, skipped: 1 });
  });

  it('keeps what failed and why, for those who see only the end of the output', async () => {
    const { failures, times } = await run(
      `describe('a part', () => it('fails', () => { throw new Error('no reason'); }));`,
    );
    expect(failures).to.have.lengthOf(1);
    expect(Object.keys(times).join()).to.match(/example\.test\.mjs$/);
    expect(failures[0]).to.match(/example\.test\.mjs: a part fails\nError: no reason\n +at /);
    const unloaded = await run(`throw new Error('at load');`);
    expect(unloaded.failures.join()).to.contain('Error: at load');
  });

  it('takes a rejection that nobody handles for a failure', async () => {
    const counts = await run(`
      it('forgets to await', async () => {
        Promise.reject(new Error('lost'));
        await new Promise((resolve) => setTimeout(resolve, 50));
      });
    `);
    expect(counts.failed).to.be.at.least(1);
  });

  it('takes a failing hook, a file that does not load and an early exit for failures', async () => {
    expect(await run(`before(() => { throw new Error('no'); }); it('never runs', () => {});`)).to.deep.include({
      failed: 1,
      passed: 0,
    });
    expect(await run(`throw new Error('at load');`)).to.deep.include({ failed: 1, passed: 0 });
    expect(await run(`it('passes', () => {}); it('leaves', () => process.exit(0));`)).to.deep.include({
      failed: 1,
      passed: 1,
    });
    expect(await run(`it('dies', () => process.kill(process.pid, 'SIGKILL'));`)).to.deep.include({ failed: 1 });
  });

  it('lets a machine lack a part, unless every part is demanded', async () => {
    const missing = async (): Promise<string> => {
      throw new LaneMissing('no such program');
    };
    const everything = { SALLYPORT_TEST_REQUIRE: 'all' };
    const reasonOf = (promise: Promise<unknown>) => promise.catch((error: Error) => error.message);
    expect(await ifThere(missing, {})).to.equal(undefined);
    expect(await reasonOf(ifThere(missing, everything))).to.equal('no such program');
    const broken = (): Promise<never> => Promise.reject(new Error('it is broken'));
    expect(await reasonOf(ifThere(broken, {}))).to.equal('it is broken');
    expect(await ifThere(async () => 'there', everything)).to.equal('there');
  });

  it('fails where a Redis Cluster is demanded and cannot be made', async () => {
    // No store of tokens is asked: what starts the cluster comes first and finds no program.
    const source = `
      import { ifThere, startRedisCluster } from '${join(import.meta.dirname, '..', 'support', 'redis.ts')}';
      before(async function () { if (!(await ifThere(startRedisCluster))) this.skip(); });
      it('needs a cluster', () => {});
    `;
    const without = { PATH: dir };
    expect(await run(source, { ...without, SALLYPORT_TEST_REQUIRE: '' })).to.include({ failed: 0, skipped: 1 });
    expect(await run(source, { ...without, SALLYPORT_TEST_REQUIRE: 'all' })).to.include({ failed: 1, skipped: 0 });
  });
});
