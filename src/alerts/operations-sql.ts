import type { Database } from '../storage/database.ts';
import type { OperationsReader, QueueFacts } from './facts.ts';

interface Row {
  sessions: number;
  mail: number;
  mail_oldest: Date | null;
  webhooks: number;
  webhooks_oldest: Date | null;
  logouts: number;
  logouts_oldest: Date | null;
  webhooks_disabled: number;
  firing: string[];
}

// Counting stops at a number that says enough, so that a flood makes no scrape slow. A mail counts as old only when none
// that was made after it went out in the last hour: one mailbox that takes nothing is no stuck outbox.
const text = `
  select
    (select count(*)::int from (
      select from session where ended_at is null and expires_at > :now limit :most) as counted) as sessions,
    mail.waiting as mail,
    mail.oldest as mail_oldest,
    webhooks.waiting as webhooks,
    webhooks.oldest as webhooks_oldest,
    logouts.waiting as logouts,
    logouts.oldest as logouts_oldest,
    (select count(*)::int from webhook_endpoint where disabled_at is not null) as webhooks_disabled,
    array(select rule from alert_state where firing_since is not null order by rule) as firing
  from (
    select count(*)::int as waiting, min(created_at) filter (where created_at > coalesce(
      (select max(created_at) from outbox where status = 'sent' and settled_at > :hourAgo), '-infinity')) as oldest
    from (select created_at from outbox where status = 'pending' and expires_at > :now limit :most) as pending
  ) as mail, (
    select count(*)::int as waiting, min(created_at) as oldest
    from (select created_at from webhook_delivery where status = 'pending' limit :most) as pending
  ) as webhooks, (
    select count(*)::int as waiting, min(created_at) as oldest
    from (select created_at from logout_delivery where status = 'pending' limit :most) as pending
  ) as logouts`;

const most = 100_000;

const queueOf = (waiting: number, oldest: Date | null, now: number): QueueFacts => ({
  waiting,
  oldestSeconds: oldest ? Math.max(now - oldest.getTime(), 0) / 1000 : 0,
});

/** Reads tables of several domains: `session`, `outbox`, `webhook_delivery`, `logout_delivery`, `webhook_endpoint`, `alert_state`. */
export const createSqlOperationsReader = (database: Database): OperationsReader => ({
  async read(now) {
    const { rows } = await database.sql.raw<{ rows: Row[] }>(text, {
      now: new Date(now),
      hourAgo: new Date(now - 3_600_000),
      most,
    });
    const [row] = rows;
    if (!row) throw new Error('The database counted nothing.');
    return {
      sessions: row.sessions,
      mail: queueOf(row.mail, row.mail_oldest, now),
      webhooks: queueOf(row.webhooks, row.webhooks_oldest, now),
      logouts: queueOf(row.logouts, row.logouts_oldest, now),
      webhooksDisabled: row.webhooks_disabled,
      firing: row.firing,
    };
  },
});
