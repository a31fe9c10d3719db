import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table revocation drop constraint revocation_kind_check;
    alter table revocation add constraint revocation_kind_check
      check (kind in ('token', 'grant', 'account', 'client', 'session', 'access', 'api', 'everything'));
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    delete from revocation where kind in ('api', 'everything');
    alter table revocation drop constraint revocation_kind_check;
    alter table revocation add constraint revocation_kind_check
      check (kind in ('token', 'grant', 'account', 'client', 'session', 'access'));
  `);
}
