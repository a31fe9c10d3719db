export async function up(sql) {
    // `tx` lets a node read what is new without missing a transaction that began earlier and committed later.
    await sql.raw(`
    create table revocation (
      kind text not null check (kind in ('token', 'grant', 'account', 'client')),
      id_hash text not null,
      revoked_at timestamptz not null,
      expires_at timestamptz not null,
      reason text not null,
      revoked_by text not null,
      tx xid8 not null default pg_current_xact_id(),
      primary key (kind, id_hash)
    );
    create index revocation_tx on revocation (tx);
    create index revocation_expires on revocation (expires_at);
  `);
}
export async function down(sql) {
    await sql.raw('drop table revocation');
}
