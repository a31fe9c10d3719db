import { expect } from 'chai';
import { csvCell, exportText } from '../../src/audit/export-rows.ts';
import type { AuditEvent, AuditFilter, AuditPlace } from '../../src/audit/index.ts';
import { createLog, type Log } from './fixture.ts';

const start = Date.parse('2026-01-01T00:00:00Z');

describe('searching the audit log', () => {
  let log: Log;
  before(async () => {
    log = await createLog('pglite');
    const mara = { actor: { kind: 'account', id: 'acc_mara' }, subject: 'acc_mara' } as const;
    const events: Partial<AuditEvent>[] = [
      mara,
      { ...mara, type: 'sign_in.failed', actor: { kind: 'stranger' }, outcome: 'failure', ip: '203.0.113.5' },
      { ...mara, type: 'account.updated', sessionId: 'ses_mara', details: { fields: ['50%_off', 'Näme'] } },
      { actor: { kind: 'account', id: 'acc_mara' }, subject: 'acc_jonas', type: 'account.disabled' },
      {
        actor: { kind: 'client', id: 'app_ledger' },
        subject: 'acc_mara',
        type: 'token.issued',
        clientId: 'app_ledger',
      },
      { actor: { kind: 'operator' }, subject: 'key_1', type: 'key.revoked', requestId: 'req_special' },
    ];
    for (const event of events) await log.write(1, event);
    await log.write(20, { subject: 'acc_other', actor: { kind: 'account', id: 'acc_other' } });
  });
  after(() => log[Symbol.asyncDispose]());

  const types = async (filter: AuditFilter, limit = 50): Promise<string[]> =>
    (await log.reader.search(filter, { limit })).rows.map(({ type }) => type);

  const cases: readonly (readonly [string, AuditFilter, readonly string[]])[] = [
    ['who', { actor: 'acc_mara' }, ['account.disabled', 'account.updated', 'sign_in.succeeded']],
    ['which app', { actor: 'app_ledger' }, ['token.issued']],
    ['who has no name', { actor: 'operator' }, ['key.revoked']],
    ['on whom', { subject: 'acc_mara' }, ['token.issued', 'account.updated', 'sign_in.failed', 'sign_in.succeeded']],
    ['a type', { type: 'sign_in.failed' }, ['sign_in.failed']],
    ['types by their first word', { type: 'account' }, ['account.disabled', 'account.updated']],
    ['the same with a star', { type: 'account.*' }, ['account.disabled', 'account.updated']],
    ['no type at all', { type: 'sign_i' }, []],
    ['no wildcard', { type: 'a%' }, []],
    ['the outcome', { outcome: 'failure' }, ['sign_in.failed']],
    ['a client', { clientId: 'app_ledger' }, ['token.issued']],
    ['an address', { ip: '203.0.113.5' }, ['sign_in.failed']],
    ['a request', { requestId: 'req_special' }, ['key.revoked']],
    ['a session', { sessionId: 'ses_mara' }, ['account.updated']],
    ['a span', { from: start + 2000, to: start + 4000 }, ['account.updated', 'sign_in.failed']],
    ['words of the details', { text: '50%_OFF' }, ['account.updated']],
    ['words that no detail has', { text: '50%xoff' }, []],
    ['all of it', { subject: 'acc_mara', type: 'sign_in', outcome: 'failure', ip: '203.0.113.5' }, ['sign_in.failed']],
    ['what contradicts itself', { subject: 'acc_mara', requestId: 'req_special' }, []],
  ];
  for (const [name, filter, expected] of cases) {
    it(`finds by ${name}`, async () => expect(await types(filter)).to.deep.equal(expected));
  }

  it('goes through pages both ways, each event once, although they share a moment', async () => {
    const { rows } = await log.reader.search({}, { limit: 100 });
    await log.database.sql.raw(`update audit_event set at = '2026-01-01T00:00:10Z' where subject = 'acc_other'`);
    for (const oldestFirst of [false, true]) {
      const seen: string[] = [];
      let after: AuditPlace | undefined;
      let pages = 0;
      do {
        const page = await log.reader.search({}, { after, limit: 4, oldestFirst });
        expect(page.rows.length).to.be.at.most(4);
        seen.push(...page.rows.map(({ id }) => id));
        after = page.next;
        pages += 1;
      } while (after);
      expect(seen.sort()).to.deep.equal(rows.map(({ id }) => id).sort());
      expect(pages).to.equal(7);
    }
  });

  it('finds one by its id', async () => {
    const [row] = (await log.reader.search({ requestId: 'req_special' }, { limit: 1 })).rows;
    expect(await log.reader.find(row?.id ?? '')).to.deep.equal(row);
    expect(await log.reader.find('evt_none')).to.equal(undefined);
  });

  describe('exported', () => {
    const text = async (filter: AuditFilter, format: 'csv' | 'jsonl'): Promise<string> => {
      let all = '';
      for await (const part of exportText(log.reader, filter, format)) all += part;
      return all;
    };

    it('is one JSON per line, oldest first', async () => {
      const lines = (await text({ subject: 'acc_mara' }, 'jsonl')).split('\n');
      expect(lines.pop()).to.equal('');
      const rows = lines.map((line) => JSON.parse(line));
      expect(rows.map(({ type }) => type)).to.deep.equal([
        'sign_in.succeeded',
        'sign_in.failed',
        'account.updated',
        'token.issued',
      ]);
      expect(rows[0]).to.deep.include({ at: '2026-01-01T00:00:01.000Z', actor: { kind: 'account', id: 'acc_mara' } });
    });

    it('is CSV that no spreadsheet runs', async () => {
      await log.write(1, {
        subject: 'acc_evil',
        userAgent: '=HYPERLINK("https://evil.example","x")',
        details: { a: 'b,"c' },
      });
      const lines = (await text({ subject: 'acc_evil' }, 'csv')).split('\r\n');
      expect(lines).to.have.length(3);
      expect(lines[0]).to.match(/^at,id,type,outcome,actor_kind,/);
      expect(lines[1]).to.include(`,"'=HYPERLINK(""https://evil.example"",""x"")",`);
      expect(lines[1]).to.match(/,"\{""a"":""b,\\""c""\}"$/);
    });

    for (const sign of ['=', '+', '-', '@', '\t', '\r', '\n', '＝']) {
      it(`takes the sting out of ${JSON.stringify(sign)}`, () => {
        expect(csvCell(`${sign}1`)).to.match(/^"?'/);
        expect(csvCell(`1${sign}`)).not.to.match(/^"?'/);
      });
    }
  });

  describe('among many', () => {
    before(async () => {
      await log.database.sql.raw(
        `insert into audit_event (id, at, type, outcome, actor_kind, actor_id, subject, client_id, ip, request_id, session_id, details)
         select 'evt_m' || n, timestamptz '2026-02-01' + n * interval '1 second', 'sign_in.succeeded', 'success', 'account',
           'acc_' || (n % 4000), 'acc_' || (n % 4000), 'app_' || (n % 40), '10.0.' || (n % 200) || '.' || (n % 17), 'req_m' || n,
           'ses_' || (n / 3), '{"amr":["pwd"]}' from generate_series(1, 30000) n`,
      );
      await log.database.sql.raw('analyze audit_event');
    });

    const planOf = async (filter: AuditFilter): Promise<string> => {
      let text = '';
      let values: readonly unknown[] = [];
      const listen = ({ sql, bindings }: { sql: string; bindings: unknown[] }): void => {
        if (!sql.includes('recursive')) [text, values] = [sql, bindings];
      };
      log.database.sql.on('query', listen);
      await log.reader.search(filter, { limit: 50, after: { at: Date.parse('2026-02-01T08:00:00Z'), id: 'evt_x' } });
      log.database.sql.off('query', listen);
      const question = text.replace(/\$(\d+)/g, '?');
      const { rows } = await log.database.sql.raw<{ rows: unknown[] }>(
        `explain (format json) ${question}`,
        values as string[],
      );
      return JSON.stringify(rows);
    };

    for (const [name, filter, index] of [
      ['actor', { actor: 'acc_77' }, 'audit_event_subject'],
      ['subject', { subject: 'acc_77' }, 'audit_event_subject'],
      ['type', { type: 'key' }, 'audit_event_type'],
      ['client', { clientId: 'app_7' }, 'audit_event_'],
      ['address', { ip: '10.0.7.7' }, 'audit_event_ip'],
      ['request', { requestId: 'req_m7' }, 'audit_event_request'],
      ['session', { sessionId: 'ses_7' }, 'audit_event_session'],
      ['span', { from: Date.parse('2026-02-01T07:00:00Z') }, 'audit_event_at'],
      ['nothing', {}, 'audit_event_at'],
    ] as const) {
      it(`asks an index by ${name}`, async () => {
        const plan = await planOf(filter);
        expect(plan).to.include(index);
        expect(plan).not.to.include('"Seq Scan"');
      });
    }

    it('looks for words in parts of a bounded length, and still comes to the end', async () => {
      const filter = { text: '50%_off' };
      let page = await log.reader.search(filter, { limit: 10 });
      const sizes = [page.rows.length];
      while (page.next) {
        page = await log.reader.search(filter, { limit: 10, after: page.next });
        sizes.push(page.rows.length);
      }
      expect(sizes).to.deep.equal([0, 0, 0, 1]);
    });
  });
});
