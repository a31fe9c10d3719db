import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create table token_exchange (
      client_id text not null references client (id) on delete cascade,
      target text not null references api (identifier) on delete cascade,
      mode text not null check (mode in ('delegation', 'impersonation')),
      scopes jsonb not null,
      created_at timestamptz not null,
      primary key (client_id, target)
    )
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table token_exchange');
}
