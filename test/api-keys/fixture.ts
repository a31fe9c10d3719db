import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { createAccounts } from '../../src/accounts/index.ts';
import { createSqlApiKeyStore } from '../../src/api-keys/api-key-store-sql.ts';
import { type ApiKeys, createApiKeys, type KeyMode, type KeyOwner } from '../../src/api-keys/index.ts';
import { createSqlApiStore } from '../../src/apis/api-store-sql.ts';
import { createApis } from '../../src/apis/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlClientStore } from '../../src/clients/client-store-sql.ts';
import { createClients } from '../../src/clients/index.ts';
import { createRevocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { randomText } from '../../src/shared/ids.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

export const operator = { kind: 'operator' } as const;

/** The domain on a real database, with one API of the scopes `read` and `write`. */
export async function createWorld(lane: SqlLane, mode: KeyMode = 'everyone') {
  const database = await testDatabase(lane);
  const clock = new FixedClock(Date.now());
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
  const apis = createApis({ store: createSqlApiStore(database), clock, audit });
  const clients = createClients({ store: createSqlClientStore(database), clock, audit });
  const store = createSqlApiKeyStore(database);
  const revocations = createRevocations({
    store: createSqlRevocationStore(database),
    clock,
    // Others on this database look for the last event of its kind.
    audit: { ...audit, record: async () => undefined },
  });
  const make = (given: KeyMode): ApiKeys =>
    createApiKeys({ store, accounts, apis, clients, revocations, audit, clock, mode: given });
  const api = `https://api-${randomText(10)}.example/`;
  const scopes = ['read', 'write'].map((name) => ({ name, description: name }));
  await apis.create({ identifier: api, name: 'Notes', scopes }, operator);
  return {
    database,
    clock,
    audit,
    accounts,
    apis,
    clients,
    revocations,
    api,
    make,
    apiKeys: make(mode),
    async person(): Promise<KeyOwner & { kind: 'account' }> {
      const account = await accounts.create(
        { email: `${randomText(12)}@people.example`, emailVerified: true },
        operator,
      );
      return { kind: 'account', id: account.id };
    },
    async machine(granted = ['read']): Promise<KeyOwner & { kind: 'client' }> {
      const { client } = await clients.create({ name: 'Robot', kind: 'machine', apis: { [api]: granted } }, operator);
      return { kind: 'client', id: client.id };
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;
