import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  await sql.raw(`
    create table session (
      id text primary key,
      account_id text not null references account (id) on delete cascade,
      kind text not null check (kind in ('browser', 'api')),
      flow_hash text collate "C" unique,
      uid text collate "C",
      device_hash text collate "C",
      browser text,
      os text,
      device_type text not null,
      ip text,
      last_ip text,
      location text,
      amr jsonb not null default '[]',
      acr text,
      created_at timestamptz not null,
      authenticated_at timestamptz not null,
      last_active_at timestamptz not null,
      expires_at timestamptz not null,
      ended_at timestamptz,
      ended_reason text,
      ended_by text
    ) with (fillfactor = 80);
    create index session_account on session (account_id, created_at) where ended_at is null;
    create unique index session_uid_open on session (uid) where ended_at is null;
    create index session_uid on session (uid) where uid is not null;
    create index session_expiry on session (expires_at) where ended_at is null;
    create index session_ended on session (ended_at) where ended_at is not null;
    comment on column session.flow_hash is 'the sign-in that it came from, so that one sign-in makes one session';
    comment on column session.uid is 'of the protocol session in the browser; it opens nothing';

    create table session_client (
      session_id text not null references session (id) on delete cascade,
      client_id text not null,
      grant_id text not null,
      first_used_at timestamptz not null,
      last_used_at timestamptz not null,
      primary key (session_id, client_id, grant_id)
    ) with (fillfactor = 80);

    create table known_device (
      account_id text not null references account (id) on delete cascade,
      device_hash text collate "C" not null,
      browser text,
      os text,
      device_type text not null,
      last_ip text,
      sign_ins integer not null default 1,
      first_seen_at timestamptz not null,
      last_seen_at timestamptz not null,
      primary key (account_id, device_hash)
    ) with (fillfactor = 80);
    create index known_device_last_seen on known_device (last_seen_at);

    create table remembered_device (
      id text primary key,
      account_id text not null references account (id) on delete cascade,
      device_hash text collate "C" not null,
      family_hash text collate "C" not null unique,
      token_hash text collate "C" not null,
      previous_hash text collate "C",
      browser text,
      os text,
      device_type text not null,
      last_ip text,
      created_at timestamptz not null,
      last_used_at timestamptz not null,
      constraint remembered_device_browser unique (account_id, device_hash)
    );
    create index remembered_device_created on remembered_device (created_at);
    comment on column remembered_device.previous_hash is 'the token before the present one, which a second tab may still show for a moment';

    alter table revocation drop constraint revocation_kind_check;
    alter table revocation add constraint revocation_kind_check
      check (kind in ('token', 'grant', 'account', 'client', 'session'));
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    drop table remembered_device, known_device, session_client, session;
    delete from revocation where kind = 'session';
    alter table revocation drop constraint revocation_kind_check;
    alter table revocation add constraint revocation_kind_check check (kind in ('token', 'grant', 'account', 'client'));
  `);
}
