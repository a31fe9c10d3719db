import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generate } from 'otplib';
import type { Account, Accounts } from '../accounts/index.ts';
import type { Apis, NewApi } from '../apis/index.ts';
import type { Actor } from '../audit/index.ts';
import type { Client, Clients, NewClient } from '../clients/index.ts';
import { type Clock, systemClock } from '../shared/clock.ts';
import { codeOf } from '../shared/errors.ts';
import { type AccountId, asClientId, randomText } from '../shared/ids.ts';
import { apiIdentifier, apiPath } from '../web/api/resource.ts';

/** A person to try the server with. */
export interface DemoUser {
  /** Known once the account exists. */
  readonly id?: string;
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly roles: readonly string[];
  /** Set when the second factor is on; `uri` goes into an authenticator app, or as a QR code onto the terminal. */
  readonly totp?: { readonly secret: string; readonly uri: string };
}

export interface DemoClient {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly secret?: string;
}

/** What there is to try, for the banner. The lists are empty when the database has accounts of its own. */
export interface DemoSummary {
  readonly users: readonly DemoUser[];
  readonly clients: readonly DemoClient[];
  readonly apis: readonly string[];
}

/** The credentials that seeding sets. */
export interface DemoCredentials {
  setPassword(accountId: AccountId, password: string): Promise<unknown>;
  readonly totp: {
    begin(accountId: AccountId, label: string): Promise<{ readonly secret: string; readonly uri: string }>;
    confirm(accountId: AccountId, code: string): Promise<boolean>;
  };
}

interface Needs {
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly apis: Apis;
  readonly credentials: DemoCredentials;
  readonly issuer: string;
  readonly playgroundOrigin: string;
  readonly dataDir: string;
  readonly clock?: Clock;
  /** Told what takes time. */
  readonly onProgress?: (text: string) => void;
}

/** `<dataDir>/demo.json`. It is written before the first account, so that a crash leaves nothing without a password. */
interface DemoFile extends DemoSummary {
  readonly issuer: string;
  readonly complete: boolean;
}

interface Plan {
  readonly apis: readonly NewApi[];
  readonly clients: readonly (NewClient & { readonly id: string })[];
}

const by: Actor = { kind: 'system' };
const people: readonly (Pick<DemoUser, 'username' | 'roles'> & { readonly name: string; readonly totp: boolean })[] = [
  { username: 'alice', name: 'Alice Demo', roles: [], totp: false },
  { username: 'bob', name: 'Bob Demo', roles: [], totp: true },
  { username: 'admin', name: 'Admin Demo', roles: ['admin'], totp: false },
];
const nothing: DemoSummary = { users: [], clients: [], apis: [] };
const planFile = join(import.meta.dirname, '..', '..', 'config', 'dev-clients.json');
const stepSeconds = 30;

const newPassword = (): string => [randomText(5), randomText(5), randomText(5), randomText(5)].join('-');

/** The text as it stands inside of JSON text. */
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

/** Resolves the `{playground}` and the `{issuer}` of config/dev-clients.json. */
const readPlan = ({ playgroundOrigin, issuer }: Pick<Needs, 'playgroundOrigin' | 'issuer'>): Plan =>
  JSON.parse(
    readFileSync(planFile, 'utf8')
      .replaceAll('{playground}', escaped(playgroundOrigin))
      .replaceAll('{issuer}', escaped(issuer)),
  ) as Plan;

function readDemoFile(file: string): DemoFile | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DemoFile;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function writeDemoFile(file: string, content: DemoFile): DemoFile {
  // With a database and secrets of its own, this is the first thing that the server keeps there.
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return content;
}

async function ensureUser(needs: Needs, user: DemoUser): Promise<DemoUser> {
  const { accounts, credentials, clock = systemClock } = needs;
  const person = people.find(({ username }) => username === user.username);
  const account: Account =
    (await accounts.findByLogin(user.username)) ??
    (await accounts.create(
      {
        username: user.username,
        email: user.email,
        emailVerified: true,
        roles: user.roles,
        profile: { name: person?.name ?? user.username, locale: 'en' },
      },
      by,
    ));
  await credentials.setPassword(account.id, user.password);
  if (!person?.totp) return { ...user, id: account.id };
  const { secret, uri } = await credentials.totp.begin(account.id, user.email);
  // The code of the step before, so that the one on the person's screen is still unused.
  const epoch = Math.floor(clock.now() / 1000) - stepSeconds;
  if (!(await credentials.totp.confirm(account.id, await generate({ secret, epoch })))) {
    throw new Error(`The second factor of the demo user ${user.username} could not be turned on.`);
  }
  return { ...user, id: account.id, totp: { secret, uri } };
}

async function ensureClient(
  { clients }: Needs,
  plan: Plan['clients'][number],
  before?: DemoClient,
): Promise<DemoClient> {
  const id = asClientId(plan.id);
  const about = { id: plan.id, name: plan.name, kind: plan.kind };
  const existing = await clients.find(id);
  if (!existing) {
    const { secret } = await clients.create(plan, by);
    return secret === undefined ? about : { ...about, secret };
  }
  const needsSecret = existing.metadata.token_endpoint_auth_method.startsWith('client_secret');
  if (!needsSecret || before?.secret !== undefined) return before ?? about;
  return { ...about, secret: await clients.rotateSecret(id, { overlapSeconds: 0 }, by) };
}

async function seed(needs: Needs, file: string, start: DemoFile): Promise<DemoFile> {
  needs.onProgress?.('Preparing demo data.');
  const plan = readPlan(needs);
  let state = writeDemoFile(file, start);
  for (const api of plan.apis) if (!(await needs.apis.find(api.identifier))) await needs.apis.create(api, by);
  for (const client of plan.clients) {
    const before = state.clients.find(({ id }) => id === client.id);
    const done = await ensureClient(needs, client, before);
    state = writeDemoFile(file, { ...state, clients: [...state.clients.filter(({ id }) => id !== client.id), done] });
  }
  for (const user of state.users) {
    const done = await ensureUser(needs, user);
    const users = state.users.map((other) => (other.username === user.username ? done : other));
    state = writeDemoFile(file, { ...state, users });
  }
  return writeDemoFile(file, { ...state, complete: true });
}

function newDemoFile(needs: Needs): DemoFile {
  const users = people.map(({ username, roles }) => ({
    username,
    email: `${username}@demo.example`,
    password: newPassword(),
    roles,
  }));
  const apis = readPlan(needs).apis.map(({ identifier }) => identifier);
  return { issuer: needs.issuer, complete: false, users, clients: [], apis };
}

/**
 * Our own API has another name under another issuer; what was allowed at the old one is allowed at the new one. An API
 * that is gone is left out: a client that names one cannot be changed.
 */
async function movedApis({ apis, issuer }: Needs, current: Client): Promise<Client['apis']> {
  const moved = await Promise.all(
    Object.entries(current.apis).map(async ([name, scopes]) => {
      if (await apis.find(name)) return [[name, scopes] as const];
      return name.endsWith(apiPath) ? [[apiIdentifier(issuer), scopes] as const] : [];
    }),
  );
  return Object.fromEntries(moved.flat());
}

/** The issuer and the playground may be elsewhere at the next start; their clients follow, and keep other changes. */
async function followMoves(needs: Needs): Promise<void> {
  const { clients } = needs;
  for (const planned of readPlan(needs).clients) {
    const current = await clients.find(planned.id);
    if (!current) continue;
    const apis = await movedApis(needs, current);
    const hasNewApis = Object.keys(apis).join(' ') !== Object.keys(current.apis).join(' ');
    const redirects = planned.metadata?.redirect_uris?.join(' ');
    const hasMoved = planned.id === 'playground' && current.metadata.redirect_uris.join(' ') !== redirects;
    if (!hasNewApis && !hasMoved) continue;
    // In one change: a client that names an API of before is refused.
    const patch = { apis, ...(hasMoved && planned.metadata && { metadata: planned.metadata }) };
    await clients.update(current.id, current.version, patch, by);
  }
}

/** Whether the people in the file are the ones in this database, which may have been changed under it. */
async function isOurs(accounts: Accounts, known: DemoFile): Promise<boolean> {
  for (const user of known.users) {
    const found = await accounts.findByLogin(user.email);
    // Without an id, the start died between making the account and noting it.
    if (found && (user.id === undefined ? !known.complete : found.id === user.id)) return true;
  }
  return false;
}

/**
 * Makes users, clients and an API to try the server with, once, in an empty database, and remembers their random
 * passwords in `<dataDir>/demo.json` (mode 0600). Later starts read that file. A start that died half way is finished.
 */
export async function seedDemo(needs: Needs): Promise<DemoSummary> {
  const file = join(needs.dataDir, 'demo.json');
  const known = readDemoFile(file);
  const ours = known !== undefined && (await isOurs(needs.accounts, known));
  if (ours) await followMoves(needs);
  if (ours && known.complete) return known;
  const empty = (await needs.accounts.list({ limit: 1 })).length === 0;
  if (!empty && !ours) return nothing;
  // Halfway with no account yet, the file may also belong to another database: its client secrets prove nothing.
  const start = known && !empty ? known : newDemoFile(needs);
  return seed(needs, file, start);
}
