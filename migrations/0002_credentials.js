export async function up(sql) {
    await sql.raw(`
    create table password (
      account_id text primary key references account (id) on delete cascade,
      hash text not null,
      changed_at timestamptz not null
    );
    create table totp (
      account_id text primary key references account (id) on delete cascade,
      secret text not null,
      last_step bigint not null,
      enrolled_at timestamptz not null
    );
    create table totp_pending (
      account_id text not null references account (id) on delete cascade,
      binding text not null,
      secret text not null,
      expires_at timestamptz not null,
      primary key (account_id, binding)
    );
    create index totp_pending_expires on totp_pending (expires_at);
    create table backup_codes (
      account_id text primary key references account (id) on delete cascade,
      salt text not null,
      memory_kib integer not null,
      passes integer not null,
      unused text[] not null,
      created_at timestamptz not null
    );
  `);
}
export async function down(sql) {
    await sql.raw('drop table backup_codes, totp_pending, totp, password');
}
