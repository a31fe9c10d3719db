import { expect } from 'chai';
import { auditJobs, watchAudit } from '../../src/app/audit.ts';
import {
  type AuditChain,
  type AuditReader,
  type AuditRow,
  type ChainStatus,
  createAuditLog,
  currentAuditContext,
  withAuditContext,
} from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';

describe('recording an event', () => {
  const rows: AuditRow[] = [];
  const audit = createAuditLog(
    {
      append: async (row) => {
        rows.push(row);
      },
      list: async () => [],
    },
    new FixedClock(),
  );
  const recorded = async (work: () => Promise<void>): Promise<AuditRow | undefined> => {
    await work();
    return rows.pop();
  };
  const event = { type: 'account.updated', actor: { kind: 'operator' }, outcome: 'success' } as const;

  it('takes from the request what the event does not say', async () => {
    const context = { ip: '192.0.2.1', userAgent: 'curl/8', requestId: 'req_1', sessionId: 'ses_1' };
    const row = await recorded(() => withAuditContext(context, () => audit.record({ ...event, ip: '198.51.100.1' })));
    expect(row).to.deep.include({ ...context, ...event, ip: '198.51.100.1' });
    expect(currentAuditContext()).to.equal(undefined);
    expect(await recorded(() => audit.record(event))).to.have.all.keys('id', 'at', 'type', 'actor', 'outcome');
  });

  it('names the client that acts', async () => {
    const actor = { kind: 'client', id: 'app_1' } as const;
    expect(await recorded(() => audit.record({ ...event, actor }))).to.include({ clientId: 'app_1' });
    expect(await recorded(() => audit.record({ ...event, actor, clientId: 'app_2' }))).to.include({
      clientId: 'app_2',
    });
  });
});

describe('the jobs and metrics of the audit log', () => {
  it('tell of what waits, as the last look saw it', async () => {
    const clock = new FixedClock();
    let status: ChainStatus = {
      head: { number: 7, hash: 'aa' },
      start: { number: 0, hash: '00' },
      sealedAt: clock.now() - 3_000,
      waiting: 4,
      waitingSince: clock.now() - 90_000,
    };
    const auditChain = {
      seal: async () => 3,
      prune: async () => 0,
      status: async () => status,
    } as unknown as AuditChain;
    const parts = { auditChain, auditReader: {} as AuditReader };
    const gauges = new Map<string, () => number | Promise<number>>();
    watchAudit({ watch: (name, _help, read) => gauges.set(name, read) }, parts, clock);
    const read = () => [...gauges].map(([name, now]) => [name, now()]);
    expect(read().map(([, value]) => value)).to.deep.equal([0, 0, 0, 0]);
    const [seal] = auditJobs(parts, silentLogger());
    expect(await seal?.run()).to.equal(3);
    expect(Object.fromEntries(read())).to.deep.equal({
      audit_unsealed_rows: 4,
      audit_unsealed_seconds: 90,
      audit_sealed_age_seconds: 3,
      audit_chain_number: 7,
    });
    status = { head: status.head, start: status.start, waiting: 0 };
    await seal?.run();
    expect(read().map(([, value]) => value)).to.deep.equal([0, 0, 0, 7]);
  });
});
