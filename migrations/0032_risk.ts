import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create table risk_finding (
      seq bigint generated always as identity primary key,
      account_id text not null references account (id) on delete cascade,
      flow_hash text collate "C",
      session_id text,
      signals text[] not null,
      at timestamptz not null,
      constraint risk_finding_about check (flow_hash is not null or session_id is not null)
    );
    create index risk_finding_account on risk_finding (account_id, at);
    create index risk_finding_at on risk_finding (at);
    comment on table risk_finding is 'what was noticed at a sign-in (flow_hash, as in session) or while a session was used';
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw('drop table risk_finding');
}
