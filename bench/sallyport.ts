// Sallyport as it runs in production, but for limits that would end the benchmark, on the stores of the environment.
import { randomBytes } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load.ts';
import { createSqlCredentialStore } from '../src/credentials/credential-store-sql.ts';
import { createCredentialImport } from '../src/credentials/index.ts';
import { systemClock } from '../src/shared/clock.ts';
import { createLogs } from '../src/shared/logger.ts';
import { addressOf, argon2Cost, type BenchClient, type BenchPerson, type Target, usage } from './target.ts';

const [, , port = '', dataDir = ''] = process.argv;
const origin = `http://127.0.0.1:${port}`;
const unlimited = '1000000000';

const config = loadConfig({
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  PORT: port,
  SALLYPORT_ISSUER: origin,
  SALLYPORT_SECRETS: randomBytes(48).toString('base64url'),
  SALLYPORT_DATA_DIR: dataDir,
  SALLYPORT_MANAGEMENT_PORT: '0',
  SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
  SALLYPORT_ARGON2_MEMORY_KIB: String(argon2Cost.memoryKiB),
  SALLYPORT_ARGON2_PASSES: String(argon2Cost.passes),
  SALLYPORT_LIMIT_SIGN_IN: unlimited,
  SALLYPORT_LIMIT_SIGN_IN_ADDRESS: unlimited,
  SALLYPORT_LIMIT_REFRESH: unlimited,
  SALLYPORT_LIMIT_TOKEN: unlimited,
  ...(process.env.DATABASE_URL && { DATABASE_URL: process.env.DATABASE_URL }),
  ...(process.env.REDIS_URL && { REDIS_URL: process.env.REDIS_URL }),
});
// The access log of production, written to where nobody reads it.
const app = await createApp(config, createLogs({ level: 'info', pretty: false }));
const { accounts, apis, clients } = app.domains;
const by = { kind: 'operator' } as const;

const resource = 'https://api.bench.example';
const redirectUri = 'https://app.bench.example/callback';
await apis.create({ identifier: resource, name: 'Bench', scopes: [{ name: 'read', description: 'Read' }] }, by);

async function create(input: Parameters<typeof clients.create>[0]): Promise<BenchClient> {
  const { client, secret = '' } = await clients.create(input, by);
  return { id: client.id, secret };
}

/**
 * Enough people that none of them signs in more often than an account may have sessions: a sign-in beyond that also
 * ends another one, which is not what the lane is about. One hash for all, as an import brings them.
 */
async function createPeople(count: number): Promise<Target['people']> {
  const password = `a password of nobody ${randomBytes(9).toString('base64url')}`;
  const phc = await hash(password, {
    memoryCost: argon2Cost.memoryKiB,
    timeCost: argon2Cost.passes,
    parallelism: 1,
  });
  const store = createSqlCredentialStore(app.database);
  const imported = createCredentialImport({ store, clock: systemClock, secrets: app.domains.secrets });
  const people: BenchPerson[] = [];
  for (let index = 0; index < count; index += 1) {
    const login = `person${index}`;
    const { id } = await accounts.create({ username: login, email: `${login}@bench.example`, emailVerified: true }, by);
    await imported.setPasswordHash(id, phc);
    // Most sign-ins come from the browser that somebody always uses.
    const device = randomBytes(16).toString('base64url');
    await app.domains.devices.seen(id, device, { ip: addressOf(index) });
    people.push({ login, password, address: addressOf(index), browser: `sp_device=${device}` });
  }
  return people;
}

const target: Target = {
  origin,
  paths: { authorize: '/oauth2/authorize', token: '/oauth2/token', introspect: '/oauth2/introspect' },
  machine: await create({ name: 'Machine', kind: 'machine', apis: { [resource]: ['read'] } }),
  service: await create({ name: 'Service', kind: 'service', mayIntrospect: true }),
  web: {
    ...(await create({ name: 'Web', kind: 'web', firstParty: true, metadata: { redirect_uris: [redirectUri] } })),
    redirectUri,
  },
  resource,
  scope: 'read',
  people: await createPeople(1_000),
};

await app.listen();
process.on('message', (message) => {
  if (message === 'usage') process.send?.(usage());
});
process.once('disconnect', () => void app[Symbol.asyncDispose]().then(() => process.exit(0)));
process.send?.(target);
