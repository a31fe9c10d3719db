import { availableParallelism } from 'node:os';
import type { AuditLog } from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import { createSqlCredentialStore } from '../credentials/credential-store-sql.ts';
import {
  createBreachSource,
  createCredentials,
  createPasswordHasher,
  createPasswordPolicy,
  createStrengthMeter,
  type PasswordSettings,
  type Score,
  type WatchHashing,
} from '../credentials/index.ts';
import { createSqlPasswordRecordStore } from '../credentials/password-record-store-sql.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import type { Tracer } from './tracer.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly secrets: SecretRing;
  readonly logger: Logger;
  readonly watchHashing?: WatchHashing | undefined;
}

const settingsOf = (config: Config): PasswordSettings => ({
  minLength: config.SALLYPORT_PASSWORD_MIN_LENGTH,
  minLengthWithSecondFactor: config.SALLYPORT_PASSWORD_MIN_LENGTH_WITH_SECOND_FACTOR,
  minScore: config.SALLYPORT_PASSWORD_MIN_STRENGTH as Score,
  classes: config.SALLYPORT_PASSWORD_CLASSES,
  maxAgeDays: config.SALLYPORT_PASSWORD_MAX_AGE_DAYS,
  history: config.SALLYPORT_PASSWORD_HISTORY,
});

/** Names that anybody who looks at the address would try. */
const serviceWords = (config: Config): string[] => [
  'Sallyport',
  // The last label of a host says nothing about anybody.
  ...new URL(config.issuer).hostname.split('.').slice(0, -1),
  ...config.SALLYPORT_PASSWORD_WORDS,
];

/**
 * A span for each password that is hashed or compared within a traced request, with the time that it waited for a thread.
 * Undefined without a receiver of traces.
 */
export const traceHashing = (tracer: Pick<Tracer, 'child'> | undefined): WatchHashing | undefined =>
  tracer &&
  ((operation) => {
    const span = tracer.child(`password ${operation}`, {}, 'internal');
    if (!span) return undefined;
    const start = performance.now();
    let waited: number | undefined;
    return {
      begun() {
        waited = performance.now() - start;
      },
      end: (outcome) =>
        span.end(outcome, { 'sallyport.queue.wait_ms': Math.round(waited ?? performance.now() - start) }),
    };
  });

/** The credentials domain: what proves who somebody is, and what passwords have to be. */
export function createCredentialParts({ config, database, clock, audit, secrets, logger, watchHashing }: Needs) {
  const settings = settingsOf(config);
  // The one place where they are looked up: everybody has those of the installation.
  const settingsFor = async (): Promise<PasswordSettings> => settings;
  const records = createSqlPasswordRecordStore(database);
  const hasher = createPasswordHasher({
    workers: config.SALLYPORT_ARGON2_WORKERS ?? availableParallelism(),
    queue: config.SALLYPORT_ARGON2_QUEUE,
    memoryKiB: config.SALLYPORT_ARGON2_MEMORY_KIB,
    passes: config.SALLYPORT_ARGON2_PASSES,
    logger,
    watch: watchHashing,
  });
  const passwordMemory = { store: records, settingsFor };
  const credentials = createCredentials({
    store: createSqlCredentialStore(database),
    memory: passwordMemory,
    clock,
    audit,
    secrets,
    hasher,
    issuerName: 'Sallyport',
    logger,
  });
  const breaches = config.SALLYPORT_PASSWORD_BREACHES;
  const passwordPolicy = createPasswordPolicy({
    settingsFor,
    serviceWords: serviceWords(config),
    records,
    hasher,
    meter: createStrengthMeter({ logger }),
    breaches: breaches === undefined ? undefined : createBreachSource(breaches),
    clock,
    audit,
    logger,
  });
  return { hasher, credentials, passwordMemory, passwordPolicy };
}
