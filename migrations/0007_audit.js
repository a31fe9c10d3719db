export async function up(sql) {
    await sql.raw(`
    create table audit_event (
      id text primary key,
      at timestamptz not null,
      type text not null,
      outcome text not null check (outcome in ('success', 'failure')),
      actor_kind text not null,
      actor_id text,
      subject text,
      client_id text,
      ip text,
      user_agent text,
      request_id text,
      details jsonb
    );
    create index audit_event_at on audit_event (at desc);
    create index audit_event_subject on audit_event (subject, at desc);
    create index audit_event_type on audit_event (type, at desc);
  `);
}
export async function down(sql) {
    await sql.raw('drop table audit_event');
}
