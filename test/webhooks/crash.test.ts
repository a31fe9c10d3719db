import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Receiver } from './receiver.ts';

const script = join(import.meta.dirname, 'deliverer.ts');
const subjectOf = (body: string): string => JSON.parse(body).data.subject;

describe('webhooks and kill -9', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-hooks-'));
  });
  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });

  function start(url: string, ahead: number, subjects: readonly string[] = []) {
    const child: ChildProcess = spawn(process.execPath, [script, dataDir, String(ahead), url, ...subjects], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    return { child, ended: once(child, 'exit'), printed: () => out };
  }

  it('loses no event, and posts again under the same id what nobody knows the fate of', async function () {
    this.timeout(120_000);
    await using receiver = await Receiver.start();
    const subjects = Array.from({ length: 9 }, (_, index) => `acc_${index}`);

    // Dies when the receiver has a whole message, before it can hear that it was taken.
    const first = start(receiver.url, 0, subjects);
    receiver.answer = () => {
      first.child.kill('SIGKILL');
      return 204;
    };
    await first.ended;
    expect(first.printed().trim().split('\n')).to.deep.equal(subjects);
    const uncertain = receiver.received.splice(0);
    expect(uncertain).to.have.length.within(1, 4);

    // Within the lease nobody else touches what the dead one had; all others go.
    receiver.answer = 204;
    const second = start(receiver.url, 5);
    await second.ended;
    expect(second.printed()).to.equal('delivered 5\n');
    const certain = receiver.received.splice(0);

    // After the lease the rest follows, under the id that the receiver has seen before.
    const third = start(receiver.url, 100);
    await third.ended;
    expect(third.printed()).to.equal('delivered 4\n');
    const again = receiver.received.splice(0);
    expect([...certain, ...again].map(({ body }) => subjectOf(body)).sort()).to.deep.equal(subjects);
    const ids = again.map(({ id }) => id);
    for (const { id } of uncertain) expect(ids).to.include(id);
  });
});
