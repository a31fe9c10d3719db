export async function up(sql) {
    await sql.raw(`
    create table api (
      identifier text primary key,
      name text not null,
      scopes jsonb not null default '[]',
      token_format text not null check (token_format in ('jwt', 'opaque')),
      access_token_seconds integer,
      signing_alg text not null check (signing_alg in ('ES256', 'RS256', 'EdDSA')),
      require_second_factor boolean not null default false,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      version integer not null default 1
    );

    create table client (
      id text primary key,
      name text not null,
      kind text not null check (kind in ('web', 'spa', 'native', 'machine', 'service')),
      metadata jsonb not null,
      apis jsonb not null default '{}',
      first_party boolean not null default false,
      require_pkce boolean not null default true,
      require_second_factor boolean not null default false,
      strict_refresh boolean not null default false,
      may_introspect boolean not null default false,
      disabled boolean not null default false,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      version integer not null default 1
    );
    create index client_created on client (created_at, id);

    create table client_secret (
      id bigint generated always as identity primary key,
      client_id text not null references client (id) on delete cascade,
      hash text not null,
      created_at timestamptz not null,
      expires_at timestamptz
    );
    create index client_secret_client on client_secret (client_id);
    create index client_secret_expires on client_secret (expires_at) where expires_at is not null;
  `);
}
export async function down(sql) {
    await sql.raw('drop table client_secret; drop table client; drop table api');
}
