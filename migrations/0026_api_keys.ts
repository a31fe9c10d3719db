import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create table api_key (
      id text primary key,
      account_id text references account (id) on delete cascade,
      client_id text references client (id) on delete cascade,
      name text not null,
      audience text not null,
      scopes jsonb not null,
      rate_limit integer,
      hash text not null,
      previous_hash text,
      previous_until timestamptz,
      created_at timestamptz not null,
      issued_at timestamptz not null,
      expires_at timestamptz,
      first_used_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz,
      check (num_nonnulls(account_id, client_id) = 1)
    );
    create index api_key_account on api_key (account_id, created_at desc, id desc) where account_id is not null;
    create index api_key_client on api_key (client_id, created_at desc, id desc) where client_id is not null;
    create index api_key_over on api_key (least(revoked_at, expires_at));
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table api_key');
}
