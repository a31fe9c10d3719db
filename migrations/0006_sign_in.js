export async function up(sql) {
    await sql.raw(`
    create table sign_in_flow (
      id text primary key,
      client_id text not null,
      requirement jsonb not null,
      login_hint text,
      evidence jsonb,
      wrong_codes integer not null default 0,
      challenge_ends_at timestamptz,
      unseen_codes boolean not null default false,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      finished_at timestamptz,
      version integer not null default 1
    );
    create index sign_in_flow_expires on sign_in_flow (expires_at);
    create table sign_in_throttle (
      key text primary key,
      failures integer not null,
      retry_at bigint not null,
      last_at bigint not null,
      turn integer not null
    );
    create index sign_in_throttle_last on sign_in_throttle (last_at);
  `);
}
export async function down(sql) {
    await sql.raw('drop table sign_in_throttle, sign_in_flow');
}
