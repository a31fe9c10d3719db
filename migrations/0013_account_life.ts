import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table account
      add column suspended_from text,
      add column deleted_from text,
      add column deleted_at timestamptz;
    create index account_deleted on account (deleted_at) where deleted_at is not null;
    comment on column account.suspended_from is 'the status that enabling brings back';
    comment on column account.deleted_from is 'the status that restoring brings back';

    create table confirmed_link (
      token_hash text primary key,
      account_id text not null references account (id) on delete cascade,
      email_key text not null,
      expires_at timestamptz not null
    );
    create index confirmed_link_account on confirmed_link (account_id);
    create index confirmed_link_expires on confirmed_link (expires_at);

    create table recovery_try (
      link_id text primary key,
      account_id text not null references account (id) on delete cascade,
      tries integer not null,
      expires_at timestamptz not null
    );
    create index recovery_try_account on recovery_try (account_id);
    create index recovery_try_expires on recovery_try (expires_at);
  `);
  // What an account did to others, for the purge; the few rows are those whose subject is somebody else.
  await sql.raw(`
    create index audit_event_by_account on audit_event (actor_id)
      where actor_kind = 'account' and subject is distinct from actor_id
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop index audit_event_by_account');
  await sql.raw('drop table recovery_try, confirmed_link');
  await sql.raw('alter table account drop column suspended_from, drop column deleted_from, drop column deleted_at');
}
