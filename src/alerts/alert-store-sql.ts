import type { Database } from '../storage/database.ts';
import type { AlertState } from './alert.ts';
import type { AlertStore } from './alert-store.ts';

interface Row {
  rule: string;
  firing_since: Date | null;
  last_true_at: Date | null;
  announced: boolean;
  last_raised_at: Date | null;
}

const fromRow = (row: Row): AlertState => ({
  announced: row.announced,
  ...(row.firing_since && { firingSince: row.firing_since.getTime() }),
  ...(row.last_true_at && { lastTrueAt: row.last_true_at.getTime() }),
  ...(row.last_raised_at && { lastRaisedAt: row.last_raised_at.getTime() }),
});

const dateOf = (at: number | undefined): Date | null => (at === undefined ? null : new Date(at));

// A number of its own, so that it meets no other lock.
const leaderLock = 727_543_001;

/** Alert states in table `alert_state`. */
export const createSqlAlertStore = (database: Database): AlertStore => ({
  transaction: (work) => database.transaction(work),

  async lead(now, seconds) {
    const { rows } = await database.sql.raw<{ rows: { leads: boolean }[] }>(
      'select pg_try_advisory_xact_lock(:lock) as leads',
      { lock: leaderLock },
    );
    if (rows[0]?.leads !== true) return false;
    // Asked when the lock is held: what the leader before wrote can be seen now.
    const since = new Date(now - seconds * 1000);
    const recent = await database.sql('alert_state').where('evaluated_at', '>', since).first('rule');
    return recent === undefined;
  },

  async load() {
    const rows = await database.sql<Row>('alert_state').select('*');
    return new Map(rows.map((row) => [row.rule, fromRow(row)]));
  },

  async save(states, now) {
    const rows = [...states].map(([rule, state]) => ({
      rule,
      firing_since: dateOf(state.firingSince),
      last_true_at: dateOf(state.lastTrueAt),
      announced: state.announced,
      last_raised_at: dateOf(state.lastRaisedAt),
      evaluated_at: new Date(now),
    }));
    await database.sql('alert_state').insert(rows).onConflict('rule').merge();
  },
});
