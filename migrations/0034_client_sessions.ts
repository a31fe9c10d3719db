import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table client add column session_idle_seconds integer check (session_idle_seconds > 0);
    comment on column client.session_idle_seconds is 'a browser that was quiet for longer signs in anew for this app';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('alter table client drop column session_idle_seconds');
}
