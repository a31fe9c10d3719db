import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // `next_at` is when the next try is due; a claim moves it to the end of its lease, so that a crash frees the mail.
  await sql.raw(`
    create table outbox (
      id text primary key,
      template text not null,
      recipient text not null,
      cap_key text not null,
      account_id text,
      data text,
      dedupe_key text unique,
      status text not null check (status in ('pending', 'sent', 'dead', 'capped', 'refused')),
      attempts integer not null default 0,
      claim text,
      next_at timestamptz not null,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      settled_at timestamptz,
      error text
    );
    create index outbox_due on outbox (next_at) where status = 'pending';
    create index outbox_expires on outbox (expires_at) where status = 'pending';
    create index outbox_settled on outbox (settled_at) where settled_at is not null;
    create index outbox_cap on outbox (cap_key, template, created_at);
    create index outbox_account on outbox (account_id) where account_id is not null;
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table outbox');
}
