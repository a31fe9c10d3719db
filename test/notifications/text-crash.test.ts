import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { newNumber } from './fixture.ts';
import { GatewayStub, type ReceivedText } from './gateway-stub.ts';

const script = join(import.meta.dirname, 'text-deliverer.ts');
const numberOf = ({ body }: ReceivedText): string => (JSON.parse(body) as { data: { to: string } }).data.to;
const idOf = ({ headers }: ReceivedText): string => String(headers['webhook-id']);

describe('text messages and kill -9', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-text-'));
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });

  function start(stub: GatewayStub, ahead: number, numbers: readonly string[] = []) {
    const child: ChildProcess = spawn(process.execPath, [script, dataDir, stub.url, String(ahead), ...numbers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    return { child, ended: once(child, 'exit'), printed: () => out };
  }

  it('loses none, and sends again under the same id what nobody knows the fate of', async function () {
    this.timeout(120_000);
    await using stub = await GatewayStub.start();
    const people = Array.from({ length: 9 }, newNumber);

    // Dies when the gateway has a message, before it can hear that it was taken.
    const first = start(stub, 0, people);
    stub.answer = () => first.child.kill('SIGKILL');
    await first.ended;
    expect(first.printed().trim().split('\n')).to.deep.equal(people);
    const uncertain = stub.received.splice(0);
    expect(uncertain).to.have.length.within(1, 4);

    // Within the lease nobody else touches what the dead one had; all others go.
    stub.answer = (response) => response.end();
    const second = start(stub, 5);
    await second.ended;
    expect(second.printed()).to.equal('delivered 5\n');
    const certain = stub.received.splice(0);

    // After the lease, and before they are of no use, the rest follows under the ids that the gateway has seen.
    const third = start(stub, 200);
    await third.ended;
    expect(third.printed()).to.equal('delivered 4\n');
    const again = stub.received.splice(0);
    expect([...certain, ...again].map(numberOf).sort()).to.deep.equal(people.sort());
    const ids = again.map(idOf);
    for (const text of uncertain) expect(ids).to.include(idOf(text));
  });
});
