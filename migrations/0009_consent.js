export async function up(sql) {
    await sql.raw(`
    create table consent (
      account_id text not null references account (id) on delete cascade,
      client_id text not null,
      permissions jsonb not null,
      granted_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (account_id, client_id)
    )
  `);
}
export async function down(sql) {
    await sql.raw('drop table consent');
}
