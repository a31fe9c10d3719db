export async function up(sql) {
    await sql.raw(`
    create table signing_key (
      kid text primary key,
      alg text not null,
      state text not null check (state in ('pending', 'published', 'signing', 'retiring', 'removed')),
      private_jwk text,
      created_at timestamptz not null,
      published_at timestamptz,
      signing_at timestamptz,
      retiring_at timestamptz,
      removed_at timestamptz,
      check ((state = 'removed') = (private_jwk is null)),
      check (state in ('pending', 'removed') or published_at is not null)
    );
    create unique index signing_key_one_signer on signing_key (alg) where state = 'signing';
    create unique index signing_key_one_successor on signing_key (alg) where state in ('pending', 'published');

    create table lease (
      name text primary key,
      holder text not null,
      until timestamptz not null
    );
  `);
}
export async function down(sql) {
    await sql.raw('drop table lease; drop table signing_key');
}
