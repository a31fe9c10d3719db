import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import type { Domains } from '../../src/cli/domains.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createLog, type Log } from '../audit/fixture.ts';
import { cli, environment, type Run } from './command-line.ts';

describe('audit commands, executed by the running server', () => {
  const stack = new AsyncDisposableStack();
  let log: Log;
  let dataDir: string;

  before(async () => {
    log = stack.use(await createLog('pglite'));
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
    stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    // These commands use nothing else.
    const domains = { audit: log.audit, auditReader: log.reader, auditChain: log.chain } as unknown as Domains;
    stack.use(await startControlSocket({ dataDir, domains, logger: silentLogger() }));
  });
  after(() => stack.disposeAsync());
  beforeEach(() => log.clear());

  const run = (...words: string[]): Promise<Run> => cli(environment(dataDir), ['audit', ...words]);

  describe('list', () => {
    it('finds by every option, for people and for programs', async () => {
      await log.write(3);
      await log.write(1, {
        type: 'sign_in.failed',
        outcome: 'failure',
        ip: '203.0.113.5',
        requestId: 'req_1x',
        sessionId: 'ses_1x',
        subject: 'acc_mara',
        actor: { kind: 'stranger' },
        clientId: 'app_2',
        details: { reason: 'password' },
      });
      for (const option of [
        ['--type', 'sign_in.failed'],
        ['--outcome', 'failure'],
        ['--ip', '203.0.113.5'],
        ['--request', 'req_1x'],
        ['--session', 'ses_1x'],
        ['--subject', 'acc_mara'],
        ['--actor', 'stranger'],
        ['--client', 'app_2'],
        ['--text', 'PASSword'],
      ]) {
        const listed = await run('list', ...option, '--json');
        expect(listed.json(), option.join(' ')).to.have.length(1);
        expect(listed.json()[0]).to.include({ type: 'sign_in.failed', sessionId: 'ses_1x' });
      }
      expect((await run('list', '--type', 'sign_in', '--json')).json()).to.have.length(4);
      expect((await run('list', '--ip', '203.0.113.5')).out).to.match(
        /sign_in\.failed +failure +stranger +acc_mara +203\.0\.113\.5/,
      );
      expect((await run('list', '--ip', '203.0.113.6')).out).to.contain('Nothing of this kind happened.');
    });

    it('goes on before an event, and knows days and moments', async () => {
      await log.write(5);
      const first = (await run('list', '--limit', '2', '--json')).json();
      const rest = (await run('list', '--before', first[1].id, '--json')).json();
      expect([...first, ...rest]).to.deep.equal((await run('list', '--json')).json());
      expect((await run('list', '--before', 'evt_none')).code).to.equal(1);
      const day = new Date(log.clock.now()).toISOString().slice(0, 10);
      expect((await run('list', '--from', day, '--json')).json()).to.have.length(5);
      expect((await run('list', '--to', day, '--json')).json()).to.have.length(0);
      expect((await run('list', '--from', rest[2].at, '--to', first[1].at, '--json')).json()).to.have.length(3);
      for (const wrong of ['yesterday', '2026-13-01', '2026-01-01T99:00Z']) {
        const refused = await run('list', '--from', wrong);
        expect([refused.code, refused.err.includes('--from')], wrong).to.deep.equal([2, true]);
      }
    });
  });

  describe('verify', () => {
    it('says that a log holds, and what waits', async () => {
      expect((await run('verify')).out).to.contain('The audit log holds. 0 events checked.');
      await log.write(4);
      await log.seal();
      await log.write(2);
      const head = (await run('head', '--json')).json();
      expect(head).to.include({ number: 4, waiting: 2, removedUpTo: 0 });
      expect((await run('head')).out).to.contain(`4:${head.hash}`);
      const checked = await run('verify', '--expect', head.head);
      expect([checked.code, checked.err]).to.deep.equal([0, '']);
      expect(checked.out)
        .to.contain('4 events checked')
        .and.contain('2 events not sealed yet')
        .and.contain(`Head: ${head.head}`);
      expect((await run('verify', '--from', '3', '--json')).json()).to.deep.include({
        ok: true,
        checked: 2,
        waiting: 2,
      });
    });

    it('fails with the first bad number, for people and for programs', async () => {
      await log.write(6);
      await log.seal();
      const { head } = (await run('head', '--json')).json();
      await log.database.sql.raw(`update audit_event set ip = '192.0.2.99' where request_id =
        (select e.request_id from audit_seal s join audit_event e on e.id = s.event_id where number = 3)`);
      const bad = await run('verify', '--json');
      expect(bad.code).to.equal(1);
      expect(bad.json()).to.deep.include({ ok: false, checked: 2 });
      expect(bad.json().fault).to.include({ number: 3, kind: 'changed' });
      expect((await run('verify')).out).to.match(
        /^Number 3 was changed: the event evt_\w+ or its link\. Trust nothing/,
      );
      expect((await run('verify', '--from', '4')).code, 'what is after it still hangs together').to.equal(0);
      await log.clear();
      await log.write(6);
      await log.seal();
      const other = await run('verify', '--expect', head);
      expect([other.code, other.out.split('\n')[0]]).to.deep.equal([
        1,
        'Number 6 has another hash than expected: the chain was computed anew. Trust nothing from there on.',
      ]);
    });

    it('refuses what it cannot compare', async () => {
      await log.write(3);
      await log.seal();
      expect((await run('verify', '--expect', '1:abc')).code).to.equal(2);
      const early = await run('verify', '--from', '3', '--expect', `1:${'0'.repeat(64)}`);
      expect([early.code, early.err]).to.deep.equal([1, 'Number 1 cannot be compared: the check begins after 2.\n']);
      expect((await run('verify', '--from', '9')).err).to.contain('There is no number 9');
    });
  });

  describe('export', () => {
    it('writes lines to standard output and says nothing else', async () => {
      await log.database.sql.raw(
        `insert into audit_event (id, at, type, outcome, actor_kind)
         select 'evt_' || n, timestamptz '2026-01-01' + n * interval '1 second', 'sign_in.succeeded', 'success', 'system'
         from generate_series(1, 1203) n`,
      );
      const written = await run('export', '--json');
      expect(written.code, written.err).to.equal(0);
      const rows = written.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(new Set(rows.map(({ id }) => id)).size).to.equal(rows.length);
      expect(rows.filter(({ type }) => type === 'sign_in.succeeded')).to.have.length(1203);
      const [event] = await log.audit.list({ type: 'audit.exported', limit: 1 });
      expect(event).to.deep.include({ actor: { kind: 'operator' }, details: { format: 'jsonl', filter: [] } });
    });

    it('writes what a filter finds to a file that only its owner reads', async () => {
      await log.write(2);
      await log.write(1, { subject: 'acc_mara', userAgent: '@SUM(1)' });
      const out = join(dataDir, 'events.csv');
      const written = await run('export', '--format', 'csv', '--subject', 'acc_mara', '--out', out, '--json');
      expect(written.json()).to.deep.equal({ file: out, rows: 1 });
      expect(statSync(out).mode & 0o777).to.equal(0o600);
      expect(readFileSync(out, 'utf8')).to.match(/^at,id,[\w,]+\r\n2026-[^\r]+,'@SUM\(1\),/);
    });
  });
});
