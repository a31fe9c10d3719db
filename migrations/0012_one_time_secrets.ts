import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // `slot` is what a new link takes over from an older one; links that may live side by side have none.
  await sql.raw(`
    create table one_time_link (
      id text primary key,
      token_hash text not null unique,
      purpose text not null,
      account_id text,
      email text not null,
      data jsonb not null,
      slot text unique,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index one_time_link_account on one_time_link (account_id) where account_id is not null;
    create index one_time_link_expires on one_time_link (expires_at);
    create table one_time_code (
      purpose text not null,
      binding text not null,
      account_id text not null,
      code_mac text not null,
      tries integer not null default 0,
      expires_at timestamptz not null,
      primary key (purpose, binding, account_id)
    );
    create index one_time_code_account on one_time_code (account_id);
    create index one_time_code_expires on one_time_code (expires_at);
    create table one_time_code_quota (
      account_id text not null,
      purpose text not null,
      made_at bigint[] not null,
      last_at bigint not null,
      primary key (account_id, purpose)
    );
    create index one_time_code_quota_last on one_time_code_quota (last_at);
  `);
  // What carries a message: by mail to an address, or by the gateway to a phone.
  await sql.raw(`
    alter table outbox add column channel text not null default 'mail' check (channel in ('mail', 'text'));
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw("delete from outbox where channel <> 'mail'");
  await sql.raw('alter table outbox drop column channel');
  await sql.raw('drop table one_time_code_quota, one_time_code, one_time_link');
}
