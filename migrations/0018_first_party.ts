import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table client add column direct_sign_in boolean not null default false;
    comment on column client.direct_sign_in is 'may take passwords itself and sign people in by JSON';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('alter table client drop column direct_sign_in');
}
