import type { Knex } from 'knex';

/** Finds the open sign-ins of an account that is taken back. Most rows are finished when they are written. */
export async function up(sql: Knex): Promise<void> {
  await sql.raw(
    `create index sign_in_flow_account on sign_in_flow ((evidence ->> 'accountId')) where finished_at is null`,
  );
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop index sign_in_flow_account');
}
