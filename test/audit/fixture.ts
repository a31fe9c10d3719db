import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createSqlAuditReader } from '../../src/audit/audit-reader-sql.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createSqlChainStore } from '../../src/audit/chain-store-sql.ts';
import {
  type AuditChain,
  type AuditEvent,
  type AuditLog,
  type AuditReader,
  type ChainCheck,
  type ChainHead,
  createAuditChain,
  createAuditLog,
} from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { type Database, openPostgres } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import type { SqlLane } from '../support/database.ts';
import { createTestDatabase } from '../support/postgres.ts';

export interface Log extends AsyncDisposable {
  readonly database: Database;
  readonly clock: FixedClock;
  readonly audit: AuditLog;
  readonly reader: AuditReader;
  readonly chain: AuditChain;
  /** The same chain as another node has it. */
  otherNode(): AuditChain;
  /** So many sign-ins, a second apart, each of an account of its own. */
  write(count: number, event?: Partial<AuditEvent>): Promise<void>;
  /** Seals until nothing waits: whatever else runs on the server may hold it up for a moment. Says how many. */
  seal(): Promise<number>;
  /** The whole check. */
  verify(question?: { from?: number; expected?: ChainHead }): Promise<ChainCheck>;
  /** Empties the log and begins the chain anew. */
  clear(): Promise<void>;
}

const keptDays = 400;

/** An audit log in a database of its own: there is one chain in each. */
export async function createLog(lane: SqlLane): Promise<Log> {
  const stack = new AsyncDisposableStack();
  const url = lane === 'postgres' ? stack.use(await createTestDatabase(process.env.TEST_DATABASE_URL ?? '')).url : '';
  const database = stack.use(url === '' ? await openPglite(undefined) : openPostgres(url, { poolSize: 8 }));
  await migrate(database);
  const clock = new FixedClock();
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const newChain = (): AuditChain =>
    createAuditChain({
      store: createSqlChainStore(database),
      audit,
      clock,
      newSalt: () => randomBytes(16).toString('hex'),
      policy: { days: keptDays },
    });
  const chain = newChain();
  let written = 0;
  return {
    database,
    clock,
    audit,
    reader: createSqlAuditReader(database),
    chain,
    otherNode: newChain,
    async write(count, event = {}) {
      for (let index = 0; index < count; index += 1) {
        written += 1;
        clock.advance(1);
        const id = `acc_${written}`;
        await audit.record({
          type: 'sign_in.succeeded',
          actor: { kind: 'account', id },
          outcome: 'success',
          subject: id,
          clientId: 'app_1',
          ip: '192.0.2.7',
          userAgent: 'curl/8.5.0',
          requestId: `req_${written}`,
          sessionId: `ses_${written}`,
          details: { amr: ['pwd', 'otp'], acr: 'aal2', tries: 1.5 },
          ...event,
        });
      }
    },
    async seal() {
      let sealed = 0;
      for (let turn = 0; turn < 500; turn += 1) {
        sealed += await chain.seal();
        if ((await chain.status()).waiting === 0) return sealed;
        await delay(10);
      }
      throw new Error('The events are not sealed.');
    },
    async verify(question = {}) {
      let check = await chain.check(question);
      while (check.phase !== 'done' && !check.fault) check = await chain.check(question, check);
      return check;
    },
    async clear() {
      await database.sql.raw('truncate audit_event, audit_seal');
      await database.sql.raw('delete from audit_chain');
      await database.sql.raw('insert into audit_chain default values');
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
