import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { RiskFacts } from './risk-facts.ts';
import type { RiskSignal } from './risk-policy.ts';

const lastSeen = statement(
  'select last_active_at, last_ip from session where account_id = $1 order by last_active_at desc limit 1',
);

/** Reads so many rows at most, however busy the address is. */
const accountsAt = statement(
  `select count(distinct subject)::integer as accounts from (
     select subject from audit_event
     where ip = $1 and at >= $2 and type in ('sign_in.failed', 'sign_in.succeeded', 'sign_in.locked')
       and subject is not null
     order by at desc limit 500
   ) as lately`,
);

const signalsOf = statement(
  `select session.id, finding.signals::text as signals from session
   join risk_finding as finding on finding.account_id = session.account_id
     and (finding.session_id = session.id or finding.flow_hash = session.flow_hash)
   where session.account_id = $1 and session.ended_at is null`,
);

const note = statement(
  'insert into risk_finding (account_id, flow_hash, session_id, signals, at) values ($1, $2, $3, $4, $5)',
);

/** The elements of an array of plain words, as PostgreSQL writes it. */
const wordsOf = (text: string): string[] => text.slice(1, -1).split(',').filter(Boolean);

/** Facts from `session` and `audit_event` of other domains; its own table is `risk_finding`. */
export const createSqlRiskFacts = (database: Database): RiskFacts => ({
  async lastSeen(accountId) {
    const [row] = await database.query<{ last_active_at: Date; last_ip: string | null }>(lastSeen, [accountId]);
    return row && { at: row.last_active_at.getTime(), ip: row.last_ip ?? undefined };
  },

  async accountsAt(ip, since, cap) {
    const [row] = await database.query<{ accounts: number }>(accountsAt, [ip, new Date(since)]);
    return Math.min(cap, row?.accounts ?? 0);
  },

  async note({ accountId, about, signals, at }) {
    const of = 'flowHash' in about ? [about.flowHash, null] : [null, about.sessionId];
    await database.query(note, [accountId, ...of, `{${signals.join(',')}}`, new Date(at)]);
  },

  async signalsOf(accountId) {
    const rows = await database.query<{ id: string; signals: string }>(signalsOf, [accountId]);
    const found = new Map<string, RiskSignal[]>();
    for (const { id, signals } of rows) {
      const known = found.get(id) ?? [];
      const fresh = (wordsOf(signals) as RiskSignal[]).filter((signal) => !known.includes(signal));
      found.set(id, [...known, ...fresh]);
    }
    return found;
  },

  async purge(before, limit) {
    const due = database.sql('risk_finding').where('at', '<', new Date(before)).limit(limit).select('seq');
    return database.sql('risk_finding').whereIn('seq', due).delete();
  },
});
