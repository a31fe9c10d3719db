import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // `next_at` is when the next try is due; a claim moves it to the end of its lease, so that a crash frees the row.
  await sql.raw(`
    create table logout_delivery (
      id text primary key,
      session_id text collate "C" not null,
      account_id text not null references account (id) on delete cascade,
      client_id text not null,
      sid text not null,
      reason text not null,
      status text not null check (status in ('pending', 'delivered', 'failed', 'superseded')),
      attempts integer not null default 0,
      claim text,
      next_at timestamptz not null,
      created_at timestamptz not null,
      settled_at timestamptz,
      answer integer,
      error text
    );
    create unique index logout_delivery_once on logout_delivery (session_id, client_id) where status = 'pending';
    create index logout_delivery_due on logout_delivery (next_at) where status = 'pending';
    create index logout_delivery_settled on logout_delivery (settled_at) where settled_at is not null;
    create index logout_delivery_created on logout_delivery (created_at, id);
    create index logout_delivery_client on logout_delivery (client_id, created_at, id);
    create index logout_delivery_account on logout_delivery (account_id);
    comment on column logout_delivery.id is 'jti of its logout token, the same at each try';
    comment on column logout_delivery.answer is 'HTTP status of the last answer';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table logout_delivery');
}
