import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { createSqlOperationsReader } from '../../src/alerts/operations-sql.ts';
import { createAlertRules } from '../../src/app/alerts.ts';
import { loadConfig } from '../../src/config/load.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { webhookEvents } from '../../src/webhooks/index.ts';
import { createPerson } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { tokenOf } from '../web/api-caller.ts';
import { Receiver } from '../webhooks/receiver.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
const operator = { kind: 'operator' } as const;

/** Waits for what a worker beside us will do. */
async function eventually(condition: () => boolean, what: () => string): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (condition()) return;
    await delay(100);
  }
  throw new Error(`it did not come about: ${what()}`);
}

describe('webhooks of a whole server', () => {
  let server: RunningApp;
  let dir: string;
  let program: ChildProcess | undefined;
  const mail = 'on-call@gate.example';
  const settings = { SALLYPORT_ALERT_MAIL: mail, SALLYPORT_ALERT_LOCKOUTS: '2' };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-receiver-'));
    server = await startApp(settings);
  });
  after(async () => {
    program?.kill();
    await server[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The receiver as the page has it. */
  async function startExample(secret: string, port: number): Promise<() => string> {
    const [, code = ''] = /^```js\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const file = join(dir, 'receiver.mjs');
    writeFileSync(file, code);
    const env = { WEBHOOK_SECRET: secret, PORT: String(port) };
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    program = child;
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    await once(child.stdout, 'data');
    return () => out;
  }

  it('tell the receiver of docs/operations.md who signed in and what became of them', async function () {
    this.timeout(60_000);
    const { webhooks, accounts } = server.app.domains;
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const { endpoint, secret } = await webhooks.add(
      { url, events: ['account.*', 'session.ended', 'sign_in.succeeded'] },
      operator,
    );
    const printed = await startExample(secret, port);
    const person = await createPerson(server);
    await tokenOf(server, person);
    await accounts.disable(person.account.id, operator);
    const expected = ['account.created', 'sign_in.succeeded', 'account.disabled', 'session.ended'];
    const lines = expected.map((type) => `${type} ${person.account.id}`);
    await eventually(() => lines.every((line) => printed().includes(line)), printed);
    expect(await webhooks.test(endpoint.id)).to.deep.equal({ status: 204 });

    const forged = await fetch(url, {
      method: 'POST',
      headers: {
        'webhook-id': 'evt_forged',
        'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
        'webhook-signature': 'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      },
      body: '{"type":"account.deleted","data":{}}',
    });
    expect(forged.status).to.equal(401);
    expect(printed()).not.to.include('account.deleted');
  });

  it('carry alerts, which are mailed as well', async function () {
    this.timeout(60_000);
    await using receiver = await Receiver.start();
    const { domains, database } = server.app;
    await domains.webhooks.add({ url: receiver.url, events: ['alert.*'] }, operator);
    const clock = new FixedClock(Date.now());
    const rules = createAlertRules({
      config: loadConfig({
        NODE_ENV: 'test',
        SALLYPORT_DATA_DIR: server.dataDir,
        SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
        ...settings,
      }),
      database,
      domains,
      operations: createSqlOperationsReader(database),
      breakerOpen: () => false,
      clock,
      logger: silentLogger(),
    });
    const locked = () =>
      domains.audit.record({
        type: 'sign_in.locked',
        actor: { kind: 'stranger' },
        outcome: 'failure',
        subject: 'acc_x',
      });
    await locked();
    expect(await rules.evaluate()).to.equal(0);
    await locked();
    clock.advance(31);
    expect(await rules.evaluate()).to.equal(1);
    clock.advance(400);
    expect(await rules.evaluate()).to.equal(1);
    await eventually(
      () => receiver.received.length === 2,
      () => JSON.stringify(receiver.received),
    );
    const messages = receiver.received.map(({ body }) => JSON.parse(body));
    expect(messages.map(({ type }) => type).sort()).to.deep.equal(['alert.raised', 'alert.resolved']);
    const raised = messages.find(({ type }) => type === 'alert.raised');
    expect(raised.data.subject).to.equal('lockouts');
    expect(raised.data.details).to.include({ value: 2, threshold: 2 }).and.to.have.property('summary');
    const mails = (await domains.notifications.list(20)).filter(({ to }) => to === mail);
    expect(mails.map(({ template }) => template)).to.deep.equal(['operator-alert', 'operator-alert']);
  });
});

describe('the page about webhooks', () => {
  it('lists the closed set of events', () => {
    const [, table = ''] = /<!-- events:begin -->([\s\S]*)<!-- events:end -->/.exec(page) ?? [];
    const rows = [...table.matchAll(/^\| `([a-z_.]+)` \| (.*?) \| .*\| (.*?) ?\|$/gm)];
    expect(rows.map(([, type]) => type)).to.deep.equal(Object.keys(webhookEvents));
    for (const [, type = '', text, details = ''] of rows) {
      const shape: { text: string; details?: readonly string[]; personal?: readonly string[] } =
        webhookEvents[type as keyof typeof webhookEvents];
      expect(text).to.equal(shape.text);
      const names = [...details.matchAll(/`(\w+)`/g)].map(([, name]) => name);
      expect(names, type).to.deep.equal([...(shape.details ?? []), ...(shape.personal ?? [])]);
    }
  });
});
