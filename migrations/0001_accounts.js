export async function up(sql) {
    await sql.raw(`
    create table account (
      id text primary key,
      username text,
      username_key text,
      email text not null,
      email_key text not null,
      email_verified boolean not null default false,
      status text not null check (status in ('active', 'unverified', 'suspended', 'locked', 'deleted')),
      roles jsonb not null default '[]',
      profile jsonb not null default '{}',
      address jsonb,
      phone_number text,
      phone_number_verified boolean not null default false,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      version integer not null default 1,
      constraint account_username_key unique (username_key),
      constraint account_email_key unique (email_key)
    );
    create index account_created on account (created_at, id);
    create index account_username_prefix on account (username_key text_pattern_ops);
    create index account_email_prefix on account (email_key text_pattern_ops);
    create index account_name_prefix on account (lower(profile ->> 'name') text_pattern_ops);
  `);
}
export async function down(sql) {
    await sql.raw('drop table account');
}
