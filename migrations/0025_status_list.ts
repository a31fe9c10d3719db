import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // No foreign keys: an entry would lock the row of its list, which all tokens share.
  await sql.raw(`
    alter table api add column status_list boolean not null default false;

    create table status_list (
      id text collate "C" primary key,
      seed text not null,
      created_at timestamptz not null
    );

    create table status_block (
      list_id text collate "C" not null,
      block integer not null,
      claimed_at timestamptz not null,
      primary key (list_id, block)
    );

    create table status_entry (
      list_id text collate "C" not null,
      idx integer not null,
      token_key text collate "C" not null,
      client_id text not null,
      grant_key text collate "C",
      account_key text collate "C",
      access_key text collate "C",
      session_key text collate "C",
      api_key text collate "C",
      issued_at timestamptz not null,
      expires_at timestamptz not null,
      primary key (list_id, idx)
    ) with (autovacuum_vacuum_scale_factor = 0.05);
    create index status_entry_expiry on status_entry (expires_at);
    comment on table status_entry is 'an access token that can be looked up in a status list; keys are the first 22 characters of what revocation.id_hash has';
    comment on column status_list.seed is 'scatters the positions of a list, so that neighbours in time are none in it';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    drop table status_entry, status_block, status_list;
    alter table api drop column status_list;
  `);
}
