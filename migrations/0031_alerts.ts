import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create table alert_state (
      rule text primary key,
      firing_since timestamptz,
      last_true_at timestamptz,
      announced boolean not null default false,
      last_raised_at timestamptz,
      evaluated_at timestamptz not null
    );
    comment on column alert_state.announced is 'whether the incident under way was told of';
    comment on column alert_state.last_raised_at is 'of the newest message about this rule, for the throttle';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table alert_state');
}
