import type { Knex } from 'knex';

export async function up(sql: Knex): Promise<void> {
  // `tx` tells which rows are settled: whatever is older than every open transaction has been committed or never will be.
  await sql.raw(`
    alter table audit_event
      add column session_id text,
      add column tx xid8 not null default pg_current_xact_id();
    create index audit_event_tx on audit_event (tx, at);
    comment on column audit_event.session_id is 'handle of the session in which it was done; it opens nothing';

    create index audit_event_client on audit_event (client_id, at desc) where client_id is not null;
    create index audit_event_ip on audit_event (ip, at desc) where ip is not null;
    create index audit_event_request on audit_event (request_id) where request_id is not null;
    create index audit_event_session on audit_event (session_id, at desc) where session_id is not null;
    update audit_event set client_id = actor_id where actor_kind = 'client' and client_id is null;

    create table audit_seal (
      number bigint primary key,
      event_id text not null unique,
      salt bytea,
      personal bytea not null,
      hash bytea not null
    );
    comment on table audit_seal is 'the hash chain over audit_event; docs/audit.md says what is hashed';
    comment on column audit_seal.salt is 'null once the personal values of the event were erased';

    create table audit_chain (
      singleton boolean primary key default true check (singleton),
      number bigint not null default 0,
      hash bytea not null default decode(repeat('00', 32), 'hex'),
      sealed_at timestamptz,
      tx xid8 not null default '0',
      at timestamptz not null default '-infinity',
      event_id text not null default '',
      start_number bigint not null default 0,
      start_hash bytea not null default decode(repeat('00', 32), 'hex')
    );
    comment on column audit_chain.number is 'the head: the last number that was given, with its hash';
    comment on column audit_chain.tx is 'with at and event_id: everything up to here is sealed';
    comment on column audit_chain.start_number is 'the last number that retention removed, with its hash';
    insert into audit_chain default values;
  `);
}

export async function down(sql: Knex): Promise<void> {
  await sql.raw(`
    drop table audit_chain, audit_seal;
    drop index audit_event_client, audit_event_ip, audit_event_request, audit_event_session, audit_event_tx;
    alter table audit_event drop column tx, drop column session_id;
  `);
}
