import type { Clock } from '../shared/clock.ts';
import type { Database } from '../storage/database.ts';
import type { LeaseStore } from './lease-store.ts';

/** Leases in table `lease`. */
export const createSqlLeaseStore = (database: Database, clock: Clock): LeaseStore => ({
  async acquire(name, holder, seconds) {
    const now = clock.now();
    const { rows } = await database.sql.raw<{ rows: unknown[] }>(
      `insert into lease (name, holder, until) values (?, ?, ?)
       on conflict (name) do update set holder = excluded.holder, until = excluded.until
       where lease.until < ? or lease.holder = excluded.holder
       returning holder`,
      [name, holder, new Date(now + seconds * 1000), new Date(now)],
    );
    return rows.length === 1;
  },

  async release(name, holder) {
    await database.sql('lease').where({ name, holder }).delete();
  },
});
