import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // Deliveries do not refer to their endpoint by a key: the sign-in that makes one would lock the endpoint's row.
  await sql.raw(`
    create table webhook_endpoint (
      id text primary key,
      url text not null,
      description text,
      events text[] not null,
      personal_data boolean not null default false,
      secrets text not null,
      failures integer not null default 0,
      failing_since timestamptz,
      retry_at timestamptz,
      disabled_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    comment on column webhook_endpoint.secrets is 'sealed; at most two of them sign';
    comment on column webhook_endpoint.retry_at is 'no delivery is tried before, because the last one failed';

    create table webhook_delivery (
      endpoint_id text not null,
      event_id text not null,
      type text not null,
      body text,
      status text not null check (status in ('pending', 'delivered', 'dead')),
      attempts integer not null default 0,
      claim text,
      next_at timestamptz not null,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      settled_at timestamptz,
      http_status integer,
      error text,
      primary key (endpoint_id, event_id)
    );
    create index webhook_delivery_due on webhook_delivery (endpoint_id, next_at) where status = 'pending';
    create index webhook_delivery_age on webhook_delivery (created_at) where status = 'pending';
    create index webhook_delivery_log on webhook_delivery (endpoint_id, created_at desc);
    create index webhook_delivery_settled on webhook_delivery (settled_at) where settled_at is not null;
    comment on column webhook_delivery.next_at is 'when the next try is due; a claim moves it to the end of its lease';
    comment on column webhook_delivery.body is 'gone when the delivery is over';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table webhook_delivery, webhook_endpoint');
}
