import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/storage/database.ts';
import { openPostgres } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { runsEverywhere } from './lanes-wanted.ts';
import { fillDataDir } from './scratch.ts';

export type SqlLane = 'pglite' | 'postgres';

/** The SQL servers that this run has: PGlite always, PostgreSQL when the runner found or started one. */
export const everySqlLane = (): SqlLane[] => (process.env.TEST_DATABASE_URL ? ['pglite', 'postgres'] : ['pglite']);

/**
 * Where a domain's suite runs: on PostgreSQL when it is there, as the flows run embedded; with SALLYPORT_TEST_LANES=all on
 * both. What is about the database itself asks for {@link everySqlLane}.
 */
export const sqlLanes = (): SqlLane[] => (runsEverywhere() ? everySqlLane() : everySqlLane().slice(-1));

const opened = new Map<SqlLane, Promise<Database>>();

let dataDir: string | undefined;

/** In memory or, in a run, on a copy of its template. */
async function openEmbedded(): Promise<Database> {
  if (!process.env.TEST_DATA_DIR_TEMPLATE) return openPglite(undefined);
  dataDir = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  fillDataDir(dataDir);
  return openPglite(dataDir);
}

async function open(lane: SqlLane): Promise<Database> {
  const database =
    lane === 'pglite' ? await openEmbedded() : openPostgres(process.env.TEST_DATABASE_URL ?? '', { poolSize: 20 });
  await migrate(database);
  return database;
}

/** A migrated database, opened once per run. Tests share it and keep apart by their own random ids. */
export function testDatabase(lane: SqlLane = 'pglite'): Promise<Database> {
  let database = opened.get(lane);
  if (!database) {
    database = open(lane);
    opened.set(lane, database);
  }
  return database;
}

/** Closes what {@link testDatabase} opened. */
export async function closeTestDatabases(): Promise<void> {
  for (const database of opened.values()) await (await database)[Symbol.asyncDispose]();
  opened.clear();
  if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
}
