import type { Database } from '../storage/database.ts';
import type { AuditCounts } from './audit-statistics.ts';
import type { AuditType } from './event.ts';

// Each type and bucket is one bounded walk along the index (type, at desc).
const text = `
  select wanted.type, bucket, (
    select count(*)::int from (
      select 1 from audit_event
      where type = wanted.type
        and at >= :since::timestamptz + bucket * (:width || ' milliseconds')::interval
        and at < :since::timestamptz + (bucket + 1) * (:width || ' milliseconds')::interval
      limit :limit
    ) as seen
  ) as count
  from unnest(:types::text[]) as wanted(type) cross join generate_series(0, :buckets - 1) as bucket`;

/** Counts rows of table `audit_event`. */
export const createSqlAuditCounts = (database: Database): AuditCounts => ({
  async count({ types, since, bucketMilliseconds, buckets }, limit) {
    const { rows } = (await database.sql.raw(text, {
      types: `{${types.join(',')}}`,
      since: new Date(since),
      width: String(bucketMilliseconds),
      buckets,
      limit,
    })) as { rows: { type: AuditType; bucket: number; count: number }[] };
    return rows;
  },
});
