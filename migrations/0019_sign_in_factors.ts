import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    alter table sign_in_flow
      add column offer_passkey boolean not null default false,
      add column mail_account text,
      add column mailed_at timestamptz;
    comment on column sign_in_flow.mail_account is
      'whose mailbox the code or link of the first door went to; made up for a name that nobody has';

    create table passkey_offer (
      account_id text primary key references account (id) on delete cascade,
      offered_at timestamptz not null
    );
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    drop table passkey_offer;
    alter table sign_in_flow drop column offer_passkey, drop column mail_account, drop column mailed_at;
  `);
}
