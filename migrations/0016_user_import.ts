import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create table user_import (
      id text primary key,
      file_name text not null,
      file_digest text not null,
      settings text not null,
      rows_done integer not null default 0,
      created integer not null default 0,
      problems integer not null default 0,
      started_at timestamptz not null,
      finished_at timestamptz
    );
    create unique index user_import_open on user_import (file_digest) where finished_at is null;

    create table user_import_row (
      import_id text not null references user_import (id) on delete cascade,
      seq integer not null,
      line integer not null,
      source_id text,
      account_id text references account (id) on delete cascade,
      problem text,
      primary key (import_id, seq)
    );
    create index user_import_row_account on user_import_row (account_id);
    comment on column user_import_row.source_id is 'what the old system called the account';
    comment on column user_import_row.problem is 'JSON by field, without anything of the row';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table user_import_row, user_import');
}
