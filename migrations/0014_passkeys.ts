import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // `handle` is what authenticators keep as user.id: random, so that a lost key names nobody (WebAuthn L3 §14.6.1).
  await sql.raw(`
    create table passkey_user (
      account_id text primary key references account (id) on delete cascade,
      handle text not null unique
    );
    create table passkey (
      id text primary key,
      account_id text not null references passkey_user (account_id) on delete cascade,
      credential_id text not null unique,
      public_key bytea not null,
      sign_count bigint not null,
      transports text[] not null,
      aaguid text not null,
      backup_eligible boolean not null,
      backed_up boolean not null,
      name text not null,
      created_at timestamptz not null,
      last_used_at timestamptz
    );
    create index passkey_account on passkey (account_id);
    create table passkey_challenge (
      hash text primary key,
      purpose text not null check (purpose in ('create', 'get')),
      binding text not null,
      account_id text references account (id) on delete cascade,
      automatic boolean not null,
      expires_at timestamptz not null
    );
    create index passkey_challenge_binding on passkey_challenge (binding, purpose);
    create index passkey_challenge_expires on passkey_challenge (expires_at);
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table passkey_challenge, passkey, passkey_user');
}
