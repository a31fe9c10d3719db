import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table status_entry add column ancestors jsonb;
    comment on column status_entry.ancestors is 'what the token was made from, as texts: token:, client:, account: or api: and a key, or key: and the id of an API key';
    create index api_key_revoked on api_key (revoked_at) where revoked_at is not null;
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    drop index api_key_revoked;
    alter table status_entry drop column ancestors;
  `);
}
