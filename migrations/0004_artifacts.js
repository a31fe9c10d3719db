export async function up(sql) {
    await sql.raw(`
    create table artifact (
      kind text collate "C" not null,
      id_hash text collate "C" not null,
      payload text,
      grant_hash text collate "C",
      session_hash text collate "C",
      user_code_hash text collate "C",
      client_id text,
      account_id text,
      binding text collate "C",
      alias boolean not null default false,
      version integer not null default 1,
      consumed_at timestamptz,
      renewed_at timestamptz,
      contended boolean not null default false,
      successor_hash text collate "C",
      expires_at timestamptz not null,
      primary key (kind, id_hash)
    ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
    create index artifact_grant on artifact (grant_hash) where grant_hash is not null;
    create index artifact_user_code on artifact (user_code_hash) where user_code_hash is not null;
    create index artifact_expiry on artifact (expires_at);
    comment on column artifact.payload is 'JSON, sealed where it holds a secret; null marks what was ended and must stay so until it expires';
    comment on column artifact.consumed_at is 'when its redemption was over';
    comment on column artifact.renewed_at is 'when it was last answered with a successor, by a retry too';
    comment on column artifact.contended is 'whether two presenters were seen at once';
    comment on column artifact.binding is 'of a session and of the cookie ids that open it: which authentication they stand for';
  `);
}
export async function down(sql) {
    await sql.raw('drop table artifact');
}
