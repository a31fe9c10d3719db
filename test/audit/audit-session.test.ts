import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import type { AuditEvent } from '../../src/audit/index.ts';
import { currentAuditContext, noteAuditSession, withAuditContext } from '../../src/audit/index.ts';
import { createLog, type Log } from './fixture.ts';

const request = { ip: '192.0.2.7', userAgent: 'curl/8.5.0', requestId: 'req_1' };

describe('the session of a request in the audit log', () => {
  let log: Log;
  before(async () => {
    log = await createLog('pglite');
  });
  beforeEach(() => log.clear());
  after(() => log[Symbol.asyncDispose]());

  const record = (event: Partial<AuditEvent> = {}): Promise<void> => {
    log.clock.advance(1);
    const mara = { kind: 'account', id: 'acc_mara' } as const;
    return log.audit.record({
      type: 'account.updated',
      actor: mara,
      subject: 'acc_mara',
      outcome: 'success',
      ...event,
    });
  };
  const named = async (): Promise<(string | undefined)[]> =>
    (await log.reader.search({}, { limit: 50, oldestFirst: true })).rows.map(({ sessionId }) => sessionId);

  it('is on what is recorded after it is known, and on nothing before', async () => {
    await withAuditContext(request, async () => {
      await record();
      noteAuditSession('ses_1');
      await record();
      await turn();
      await record();
    });
    await record();
    expect(await named()).to.deep.equal([undefined, 'ses_1', 'ses_1', undefined]);
  });

  it('gives way to the session that an event says it is about, and to the one that its doer keeps', async () => {
    await withAuditContext(request, async () => {
      noteAuditSession('ses_doer');
      await record({ type: 'session.ended', sessionId: 'ses_about' });
      await record({ type: 'password.changed', keptSession: 'ses_kept' });
      await record();
    });
    expect(await named()).to.deep.equal(['ses_about', 'ses_kept', 'ses_doer']);
  });

  it('is the latest that was noted; an unknown one takes nothing back', async () => {
    await withAuditContext(request, async () => {
      noteAuditSession('ses_1');
      noteAuditSession('ses_2');
      noteAuditSession(undefined);
      await record();
    });
    expect(await named()).to.deep.equal(['ses_2']);
  });

  it('is each request’s own, also of those that run at the same time and begin with the same facts', async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        withAuditContext(request, async () => {
          await turn();
          if (index % 2 === 0) noteAuditSession(`ses_${index}`);
          await turn();
          await record({ details: { index } });
        }),
      ),
    );
    const { rows } = await log.reader.search({}, { limit: 50 });
    expect(rows).to.have.length(50);
    for (const { sessionId, details } of rows) {
      const index = Number(details?.index);
      expect(sessionId).to.equal(index % 2 === 0 ? `ses_${index}` : undefined);
    }
    expect(request).to.not.have.property('sessionId');
  });

  it('goes nowhere outside of a request', async () => {
    noteAuditSession('ses_1');
    expect(currentAuditContext()).to.equal(undefined);
    await record();
    expect(await named()).to.deep.equal([undefined]);
  });

  it('is found, exported and chained like one that the event says itself; rows that are sealed stay as they were', async () => {
    for (let count = 0; count < 3; count += 1) await record();
    await log.seal();
    const sealed = await log.chain.status();
    await withAuditContext(request, async () => {
      noteAuditSession('ses_1');
      await record();
    });
    await record({ ...request, sessionId: 'ses_1' });
    await log.seal();
    const { rows } = await log.reader.search({ sessionId: 'ses_1' }, { limit: 50 });
    expect(rows.map(({ id: _id, at: _at, ...row }) => row)).to.have.length(2);
    const [second, first] = rows.map(({ id: _id, at: _at, ...row }) => row);
    expect(first).to.deep.equal(second);
    expect(await log.verify({ expected: sealed.head })).to.not.have.property('fault');
    await log.database.sql('audit_event').where({ session_id: 'ses_1' }).update({ session_id: 'ses_2' });
    expect((await log.verify()).fault).to.include({ kind: 'changed', number: 4 });
  });
});
