import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import {
  createCredentials,
  createPasswordPolicy,
  createStrengthMeter,
  type PasswordOwner,
  type PasswordPolicyOptions,
  type PasswordSettings,
} from '../../src/credentials/index.ts';
import { createSqlPasswordRecordStore } from '../../src/credentials/password-record-store-sql.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import type { SqlLane } from '../support/database.ts';
import { createFixture, hasher, logger, oldSecret } from './fixture.ts';

/** What a new installation asks. */
export const defaults: PasswordSettings = {
  minLength: 15,
  minLengthWithSecondFactor: 8,
  minScore: 3,
  classes: {},
  history: 1,
};

/** Somebody new, without a second factor. */
export const nobody: PasswordOwner = { personal: [], secondFactor: false };

/** One meter for all tests of this folder. */
export const meter = createStrengthMeter({ logger, queue: 500 });

/** The policy and the credentials domain on real parts, with settings that tests change. */
export async function createPolicyFixture(lane: SqlLane) {
  const fixture = await createFixture(lane);
  const { database, clock } = fixture;
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const records = createSqlPasswordRecordStore(database);
  let settings = defaults;
  const settingsFor = async (): Promise<PasswordSettings> => settings;
  const makePolicy = (changes: Partial<PasswordPolicyOptions> = {}) =>
    createPasswordPolicy({
      settingsFor,
      serviceWords: ['Sallyport', 'fernhill'],
      records,
      hasher,
      meter,
      clock,
      audit,
      logger,
      ...changes,
    });
  return {
    ...fixture,
    audit,
    records,
    makePolicy,
    policy: makePolicy(),
    credentials: createCredentials({
      store: createSqlCredentialStore(database),
      memory: { store: records, settingsFor },
      clock,
      audit,
      secrets: new SecretRing([oldSecret]),
      hasher,
      issuerName: 'Sallyport',
      logger,
    }),
    change(changes: Partial<PasswordSettings>): void {
      settings = { ...settings, ...changes };
    },
  };
}

export type PolicyFixture = Awaited<ReturnType<typeof createPolicyFixture>>;

/** The codes of a refusal; empty when the password was taken. */
export async function codesOf(
  { policy }: Pick<PolicyFixture, 'policy'>,
  password: string,
  owner: Partial<PasswordOwner> = {},
): Promise<string[]> {
  const verdict = await policy.check(password, { ...nobody, ...owner });
  return verdict.ok ? [] : verdict.reasons.map(({ code }) => code);
}

/** A service on loopback that answers as `answer` says. */
export async function rangeServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`,
    asked,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
