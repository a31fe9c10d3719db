import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { type AccountId, newAccountId } from '../shared/ids.ts';
import type { Account, AccountPatch, NewAccount } from './account.ts';
import type { EventMeta } from './account-life.ts';
import { allowedStarts } from './account-status.ts';
import type { AccountStore, StoredAccount, TakenField } from './account-store.ts';
import { parseEmail } from './email-address.ts';
import { readAccountPatch, readNewAccount } from './read-account-input.ts';
import { parseUsername } from './username.ts';

/** Who exists. Every change is audited in the same transaction. */
export interface Accounts {
  /** @throws AppError `invalid_input`, or `conflict` with the field that another account has. */
  create(input: NewAccount, by: Actor, meta?: EventMeta): Promise<Account>;
  find(id: AccountId): Promise<Account | undefined>;
  /** Looks an account up by its email or username, in any case and Unicode form. */
  findByLogin(login: string): Promise<Account | undefined>;
  /** Newest first, 100 at most; `after` is the last id of the page before. */
  list(filter: {
    readonly limit: number;
    readonly after?: AccountId | undefined;
    readonly search?: string | undefined;
  }): Promise<Account[]>;
  /** How many there are, deleted ones not among them, counted up to `atMost`. */
  count(atMost: number): Promise<number>;
  /** @throws AppError `not_found`, `invalid_input`, or `conflict` when `version` is old or a name is taken. */
  update(id: AccountId, version: number, patch: AccountPatch, by: Actor, meta?: EventMeta): Promise<Account>;
  /** Stops sign-ins. Doing it twice changes nothing. @throws AppError `not_found`, or `forbidden` for oneself. */
  disable(id: AccountId, by: Actor): Promise<Account>;
  /**
   * Lets a suspended or locked account sign in again; one that was unverified before is so again.
   * @throws AppError `not_found`, `forbidden` for oneself, or `conflict` when deleted.
   */
  enable(id: AccountId, by: Actor): Promise<Account>;
}

interface Needs {
  readonly store: AccountStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
}

const pageLimit = 100;
const noAccount = (): AppError => new AppError('not_found', 'There is no such account.');

function refuseTaken(field: TakenField): never {
  throw new AppError('conflict', `Another account has this ${field}.`, {
    fields: { [field]: `Another account has this ${field}.` },
  });
}

/** Drops the names whose value is undefined or null, so that an absent fact is an absent key. */
type Present<T> = { [Key in keyof T]?: NonNullable<T[Key]> };
const present = <T extends object>(values: T): Present<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as Present<T>;

/** A field of a patch: undefined keeps what is there, null takes it away. */
const patched = <T>(change: T | null | undefined, current: T | undefined): T | undefined =>
  change === undefined ? current : (change ?? undefined);

async function create(
  { store, clock, audit }: Needs,
  given: NewAccount,
  by: Actor,
  meta: EventMeta = {},
): Promise<Account> {
  const input = readNewAccount(given);
  const now = clock.now();
  const account: StoredAccount = {
    id: newAccountId(),
    email: input.email.address,
    emailKey: input.email.key,
    emailVerified: input.emailVerified ?? false,
    status: input.status ?? 'active',
    roles: input.roles ?? [],
    profile: present(input.profile ?? {}),
    phoneNumberVerified: input.phoneNumber !== undefined && (input.phoneNumberVerified ?? false),
    createdAt: now,
    updatedAt: now,
    version: 1,
    ...(input.username && { username: input.username.username, usernameKey: input.username.key }),
    ...(input.address && { address: present(input.address) }),
    ...(input.phoneNumber !== undefined && { phoneNumber: input.phoneNumber }),
  };
  return store.transaction(async () => {
    const taken = await store.insert(account);
    if (taken) refuseTaken(taken);
    await audit.record({ ...meta, type: 'account.created', actor: by, outcome: 'success', subject: account.id });
    return withoutKeys(account);
  });
}

function withoutKeys({ emailKey: _email, usernameKey: _username, ...account }: StoredAccount): Account {
  return account;
}

function apply(current: Account, patch: ReturnType<typeof readAccountPatch>, now: number): StoredAccount {
  const email = patch.email ?? parseEmail(current.email);
  const username = patched(
    patch.username,
    current.username === undefined ? undefined : parseUsername(current.username),
  );
  const address = patched(patch.address, current.address);
  const phoneNumber = patched(patch.phoneNumber, current.phoneNumber);
  // A new address or number has not been verified just because the old one was.
  const emailStays = email?.address === current.email;
  const phoneStays = phoneNumber !== undefined && phoneNumber === current.phoneNumber;
  return {
    id: current.id,
    email: email?.address ?? current.email,
    emailKey: email?.key ?? current.email,
    emailVerified: patch.emailVerified ?? (emailStays && current.emailVerified),
    status: current.status,
    roles: patch.roles ?? current.roles,
    profile: patch.profile ? present(patch.profile) : current.profile,
    phoneNumberVerified:
      phoneNumber !== undefined && (patch.phoneNumberVerified ?? (phoneStays && current.phoneNumberVerified)),
    createdAt: current.createdAt,
    updatedAt: now,
    version: current.version + 1,
    ...(username && { username: username.username, usernameKey: username.key }),
    ...(address && { address: present(address) }),
    ...(phoneNumber !== undefined && { phoneNumber }),
  };
}

async function update(
  { store, clock, audit }: Needs,
  id: AccountId,
  version: number,
  given: AccountPatch,
  by: Actor,
  meta: EventMeta = {},
): Promise<Account> {
  const patch = readAccountPatch(given);
  return store.transaction(async () => {
    const current = await store.find(id);
    if (!current || current.status === 'deleted') throw noAccount();
    const next = apply({ ...current, version }, patch, clock.now());
    const problem = await store.replace(next);
    if (problem === 'stale') {
      throw new AppError('conflict', 'The account was changed meanwhile. Load it again and repeat the change.');
    }
    if (problem) refuseTaken(problem);
    await audit.record({
      ...meta,
      type: 'account.updated',
      actor: by,
      outcome: 'success',
      subject: id,
      details: { fields: Object.keys(present(given)).concat(removed(given)).sort() },
    });
    return withoutKeys(next);
  });
}

const removed = (patch: AccountPatch): string[] =>
  Object.entries(patch).flatMap(([name, value]) => (value === null ? [name] : []));

async function setStatus(
  { store, clock, audit }: Needs,
  id: AccountId,
  move: 'suspend' | 'enable',
  by: Actor,
): Promise<Account> {
  const from = allowedStarts(move, by, id);
  return store.transaction(async () => {
    const changed = await store.setStatus(id, from, move === 'suspend' ? 'suspended' : 'before', clock.now());
    if (changed) {
      const type = move === 'suspend' ? 'account.disabled' : 'account.enabled';
      await audit.record({ type, actor: by, outcome: 'success', subject: id });
      return changed;
    }
    const current = await store.find(id);
    if (!current) throw noAccount();
    if (current.status === 'deleted') throw new AppError('conflict', 'The account was deleted.');
    return current;
  });
}

/** Makes the accounts domain. */
export const createAccounts = (needs: Needs): Accounts => ({
  create: (input, by, meta) => create(needs, input, by, meta),
  find: (id) => needs.store.find(id),
  async findByLogin(login) {
    const email = parseEmail(login);
    if (email) return needs.store.findByKey('email', email.key);
    const username = parseUsername(login);
    return username && needs.store.findByKey('username', username.key);
  },
  list: ({ limit, after, search }) =>
    needs.store.list({
      limit: Math.max(1, Math.min(pageLimit, Math.trunc(limit))),
      ...(after !== undefined && { after }),
      ...(search !== undefined && search.trim() !== '' && { search: search.trim().slice(0, 254) }),
    }),
  count: (atMost) => needs.store.count(atMost),
  update: (id, version, patch, by, meta) => update(needs, id, version, patch, by, meta),
  disable: (id, by) => setStatus(needs, id, 'suspend', by),
  enable: (id, by) => setStatus(needs, id, 'enable', by),
});
