import type { Database } from '../storage/database.ts';
import type { AuditCounts } from './audit-statistics.ts';
import type { AuditType } from './event.ts';

// Each type is one bounded walk along the index (type, at desc).
const text = `
  select seen.type, floor(extract(epoch from seen.at - :since::timestamptz) * 1000 / :width)::int as bucket,
    count(*)::int as count
  from unnest(:types::text[]) as wanted(type)
  cross join lateral (
    select type, at from audit_event
    where type = wanted.type and at >= :since::timestamptz and at < :until::timestamptz
    order by at desc
    limit :limit
  ) as seen
  group by 1, 2`;

/** Counts rows of table `audit_event`. */
export const createSqlAuditCounts = (database: Database): AuditCounts => ({
  async count({ types, since, bucketMilliseconds, buckets }, limit) {
    const { rows } = (await database.sql.raw(text, {
      types: `{${types.join(',')}}`,
      since: new Date(since),
      until: new Date(since + buckets * bucketMilliseconds),
      width: bucketMilliseconds,
      limit,
    })) as { rows: { type: AuditType; bucket: number; count: number }[] };
    return rows;
  },
});
