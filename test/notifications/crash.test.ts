import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { newAddress } from './fixture.ts';
import { SmtpStub } from './smtp-stub.ts';

const script = join(import.meta.dirname, 'deliverer.ts');
const messageIdOf = (raw: string): string => /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? 'a mail without an id';

describe('mail and kill -9', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-mail-'));
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });

  function start(stub: SmtpStub, ahead: number, addresses: readonly string[] = []) {
    const child: ChildProcess = spawn(
      process.execPath,
      [script, dataDir, String(stub.port), String(ahead), ...addresses],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    return { child, ended: once(child, 'exit'), printed: () => out };
  }

  it('loses no mail, and sends again under the same id what nobody knows the fate of', async function () {
    this.timeout(120_000);
    await using stub = await SmtpStub.start();
    const people = Array.from({ length: 9 }, newAddress);

    // Dies when the server has a whole mail, before it can hear that it was taken.
    const first = start(stub, 0, people);
    stub.behaviour = { onMail: () => first.child.kill('SIGKILL') };
    await first.ended;
    expect(first.printed().trim().split('\n')).to.deep.equal(people);
    const uncertain = stub.mails.splice(0);
    expect(uncertain).to.have.length.within(1, 4);

    // Within the lease nobody else touches what the dead one had; all others go.
    stub.behaviour = {};
    const second = start(stub, 5);
    await second.ended;
    expect(second.printed()).to.equal('delivered 5\n');
    const certain = stub.mails.splice(0);

    // After the lease the rest follows, under the id that the server has seen before.
    const third = start(stub, 200);
    await third.ended;
    expect(third.printed()).to.equal('delivered 4\n');
    const again = stub.mails.splice(0);
    expect([...certain, ...again].flatMap(({ to }) => to).sort()).to.deep.equal(people.sort());
    const ids = again.map(({ raw }) => messageIdOf(raw));
    expect(ids.join()).not.to.include('without');
    for (const { raw } of uncertain) expect(ids).to.include(messageIdOf(raw));
  });
});
