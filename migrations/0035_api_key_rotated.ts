import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create index api_key_rotated on api_key (issued_at) where previous_hash is not null;
    comment on column status_entry.ancestors is 'what the token was made from, as texts: token:, client:, account: or api: and a key, or key:, the id of an API key, a dot and the start of the hash of its text';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop index api_key_rotated');
}
