import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // The SHA-256 of the secret in the cookie of the browser that registered: not a key to anything by itself.
  await sql.raw(`
    create table pending_registration (
      account_id text primary key references account (id) on delete cascade,
      browser_hash text,
      registered_at timestamptz not null
    );
    create index pending_registration_age on pending_registration (registered_at)
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table pending_registration');
}
