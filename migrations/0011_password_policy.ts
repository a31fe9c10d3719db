import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // The history has the present hash too, so that a change never has to read what it replaces.
  await sql.raw(`
    alter table password
      add column must_change boolean not null default false,
      add column short_alone boolean not null default false;
    create table password_history (
      seq bigint generated always as identity primary key,
      account_id text not null references account (id) on delete cascade,
      hash text not null,
      set_at timestamptz not null
    );
    create index password_history_account on password_history (account_id, seq);
    insert into password_history (account_id, hash, set_at) select account_id, hash, changed_at from password;
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    drop table password_history;
    alter table password drop column must_change, drop column short_alone;
  `);
}
