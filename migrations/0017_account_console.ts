import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table consent add column last_used_at timestamptz;
    comment on column consent.last_used_at is 'when the app last got a token of this person, right to an hour';

    alter table revocation drop constraint revocation_kind_check;
    alter table revocation add constraint revocation_kind_check
      check (kind in ('token', 'grant', 'account', 'client', 'session', 'access'));
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table consent drop column last_used_at;
    delete from revocation where kind = 'access';
    alter table revocation drop constraint revocation_kind_check;
    alter table revocation add constraint revocation_kind_check
      check (kind in ('token', 'grant', 'account', 'client', 'session'));
  `);
}
