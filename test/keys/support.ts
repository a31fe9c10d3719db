import { randomUUID } from 'node:crypto';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type AuditRow, createAuditLog } from '../../src/audit/index.ts';
import { createKeys, type KeyPolicy, type Keys } from '../../src/keys/index.ts';
import { createSqlKeyStore } from '../../src/keys/key-store-sql.ts';
import { createSqlLeaseStore } from '../../src/keys/lease-store-sql.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { type Database, openPostgres } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import type { SqlLane } from '../support/database.ts';

export const secret = 'k'.repeat(40);
export const otherSecret = 'o'.repeat(40);
export const operator = { kind: 'operator' } as const;

/** Compressed times: a rotation each 20 s, of which 8 s in the JWKS before signing. */
export const policy: KeyPolicy = {
  rotationSeconds: 20,
  publishSeconds: 8,
  retireSeconds: 10,
  jwksMaxAgeSeconds: 3,
  pollSeconds: 2,
  algorithms: ['ES256', 'EdDSA'],
};

const opened = new Map<SqlLane, Promise<Database>>();

async function open(lane: SqlLane): Promise<Database> {
  if (lane === 'pglite') return openPglite(undefined);
  const url = process.env.TEST_DATABASE_URL ?? '';
  const schema = `keys_${randomUUID().replaceAll('-', '')}`;
  await using outer = openPostgres(url, { poolSize: 1 });
  await outer.sql.raw(`create schema ${schema}`);
  const inner = new URL(url);
  inner.searchParams.set('options', `-c search_path=${schema}`);
  return openPostgres(inner.href, { poolSize: 20 });
}

/** A database of our own, because there is one set of keys per database. It is empty each time. */
export async function keysDatabase(lane: SqlLane): Promise<Database> {
  let database = opened.get(lane);
  if (!database) {
    database = open(lane).then(async (fresh) => {
      await migrate(fresh);
      return fresh;
    });
    opened.set(lane, database);
  }
  const ready = await database;
  for (const table of ['signing_key', 'lease', 'audit_event']) await ready.sql(table).delete();
  return ready;
}

after(async () => {
  for (const database of opened.values()) await (await database)[Symbol.asyncDispose]();
  opened.clear();
});

/** One server process as far as keys go. */
export function node(
  database: Database,
  clock: Clock,
  options: { policy?: Partial<KeyPolicy>; secrets?: readonly string[] } = {},
): Keys {
  return createKeys({
    store: createSqlKeyStore(database),
    leases: createSqlLeaseStore(database, clock),
    secrets: new SecretRing(options.secrets ?? [secret]),
    clock,
    audit: createAuditLog(createSqlAuditStore(database), clock),
    policy: { ...policy, ...options.policy },
    logger: silentLogger(),
  });
}

/** The audit rows about one key, oldest first. */
export const auditOf = async (database: Database, kid: string): Promise<AuditRow[]> =>
  (await createSqlAuditStore(database).list({ subject: kid, limit: 50 })).reverse();
