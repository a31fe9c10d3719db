import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { asClientId, type ClientId, newClientId } from '../shared/ids.ts';
import { whenOver } from '../storage/unit-of-work.ts';
import type { Client, ClientPatch, NewClient } from './client.ts';
import { ClientCache } from './client-cache.ts';
import { usesSecret } from './client-kinds.ts';
import { hashSecret, matchesSecret, newClientSecret } from './client-secret.ts';
import type { ClientStore } from './client-store.ts';
import { type KnownResource, type ReadRules, readClientPatch, readNewClient } from './read-client.ts';

/** The apps that may ask for tokens. Every change is audited in the same transaction. */
export interface Clients {
  /**
   * From this process's memory when it was looked up less than five seconds ago; what another node changed meanwhile is
   * known with {@link hurry}. Disabled clients are found too, and
   * so are the built-in ones, which nothing else here lists or changes.
   */
  find(id: string): Promise<Client | undefined>;
  /** Newest first, 100 at most; `after` is the last id of the page before. */
  list(page?: { readonly limit?: number | undefined; readonly after?: ClientId | undefined }): Promise<Client[]>;
  /** How many there are, counted up to `atMost`. */
  count(atMost: number): Promise<number>;
  /** The secret is shown here and never again. @throws AppError `invalid_input`, or `conflict` when the id is taken. */
  create(input: NewClient, by: Actor): Promise<{ readonly client: Client; readonly secret?: string }>;
  /** @throws AppError `not_found`, `invalid_input`, or `conflict` when `version` is old. */
  update(id: ClientId, version: number, patch: ClientPatch, by: Actor): Promise<Client>;
  /**
   * Makes a new secret; the ones before it work for `overlapSeconds` more (90 days at most, 0 ends them at once).
   * @throws AppError `not_found`, or `conflict` when the client does not use one.
   */
  rotateSecret(id: ClientId, options: { readonly overlapSeconds: number }, by: Actor): Promise<string>;
  /** @throws AppError `not_found`. */
  remove(id: ClientId, by: Actor): Promise<void>;
  /** Whether this is a live secret of an enabled client. Unknown ids take the same path. */
  verifySecret(id: string, secret: string): Promise<boolean>;
  /** Looks again: another node has changed something. */
  hurry(): void;
}

interface Needs {
  readonly store: ClientStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Looks a registered API up, so that clients can only name APIs and scopes that exist. */
  readonly checkResource?: ((identifier: string) => Promise<KnownResource | undefined>) | undefined;
  /** Lets web and browser apps use plain http on this machine; for development. Default false. */
  readonly allowLoopbackHttp?: boolean | undefined;
  /** The server's own apps, which are code and not data: they have no secret, and nobody can register their ids. */
  readonly builtIn?: readonly Client[] | undefined;
}

const pageLimit = 100;
const maxOverlapSeconds = 90 * 86_400;
const noClient = (): AppError => new AppError('not_found', 'There is no such client.');

class ClientRegistry implements Clients {
  readonly #needs: Needs;
  readonly #rules: ReadRules;
  readonly #cache: ClientCache;
  readonly #builtIn: ReadonlyMap<string, Client>;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#rules = { allowLoopbackHttp: needs.allowLoopbackHttp ?? false, checkResource: needs.checkResource };
    this.#cache = new ClientCache(needs.store, needs.clock);
    this.#builtIn = new Map((needs.builtIn ?? []).map((client) => [client.id, client]));
  }

  async find(id: string): Promise<Client | undefined> {
    return this.#builtIn.get(id) ?? (await this.#cache.get(id))?.client;
  }

  list(page: Parameters<Clients['list']>[0] = {}): Promise<Client[]> {
    const limit = Math.max(1, Math.min(pageLimit, Math.trunc(page.limit ?? pageLimit)));
    return this.#needs.store.list({ limit, ...(page.after !== undefined && { after: page.after }) });
  }

  count(atMost: number): Promise<number> {
    return this.#needs.store.count(atMost);
  }

  async create(input: NewClient, by: Actor): ReturnType<Clients['create']> {
    const { store, clock, audit } = this.#needs;
    const { id, ...draft } = await readNewClient(input, this.#rules);
    const now = clock.now();
    const client: Client = {
      ...draft,
      id: id === undefined ? newClientId() : asClientId(id),
      disabled: false,
      createdAt: now,
      updatedAt: now,
      version: 1,
    };
    const secret = usesSecret(client.metadata.token_endpoint_auth_method) ? newClientSecret() : undefined;
    await store.transaction(async () => {
      if (this.#builtIn.has(client.id) || !(await store.insert(client))) {
        const taken = 'Another client has this id.';
        throw new AppError('conflict', taken, { fields: { id: taken } });
      }
      if (secret !== undefined) await store.addSecret(client.id, hashSecret(secret), now, now);
      const details = { kind: client.kind, name: client.name };
      await audit.record({ type: 'client.created', actor: by, outcome: 'success', subject: client.id, details });
    });
    this.#changed(client.id);
    return secret === undefined ? { client } : { client, secret };
  }

  async update(id: ClientId, version: number, patch: ClientPatch, by: Actor): Promise<Client> {
    const { store, clock, audit } = this.#needs;
    const updated = await store.transaction(async () => {
      const current = (await store.load(id))?.client;
      if (!current) throw noClient();
      const read = await readClientPatch(current, patch, this.#rules);
      const next: Client = { ...read, updatedAt: clock.now(), version: version + 1 };
      if (!(await store.replace(next))) {
        throw new AppError('conflict', 'The client was changed meanwhile. Load it again and repeat the change.');
      }
      // A method without a secret must not leave one behind that works again some day.
      if (!usesSecret(next.metadata.token_endpoint_auth_method)) await store.removeSecrets(id);
      const fields = [...Object.keys(patch), ...Object.keys(patch.metadata ?? {})].filter(
        (name) => name !== 'metadata',
      );
      const details = { fields: fields.sort(), disabled: next.disabled };
      await audit.record({ type: 'client.updated', actor: by, outcome: 'success', subject: id, details });
      return next;
    });
    this.#changed(id);
    return updated;
  }

  async rotateSecret(id: ClientId, options: { readonly overlapSeconds: number }, by: Actor): Promise<string> {
    const { store, clock, audit } = this.#needs;
    const { overlapSeconds } = options;
    if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > maxOverlapSeconds) {
      const message = `Give whole seconds from 0 to ${maxOverlapSeconds}.`;
      throw new AppError('invalid_input', message, { fields: { overlapSeconds: message } });
    }
    const secret = newClientSecret();
    await store.transaction(async () => {
      const client = (await store.load(id))?.client;
      if (!client) throw noClient();
      if (!usesSecret(client.metadata.token_endpoint_auth_method)) {
        throw new AppError('conflict', 'This client does not use a secret.');
      }
      const now = clock.now();
      await store.addSecret(id, hashSecret(secret), now, now + overlapSeconds * 1000);
      const details = { overlapSeconds };
      await audit.record({ type: 'client.secret_rotated', actor: by, outcome: 'success', subject: id, details });
    });
    this.#changed(id);
    return secret;
  }

  async remove(id: ClientId, by: Actor): Promise<void> {
    const { store, audit } = this.#needs;
    await store.transaction(async () => {
      if (!(await store.remove(id))) throw noClient();
      await audit.record({ type: 'client.removed', actor: by, outcome: 'success', subject: id });
    });
    this.#changed(id);
  }

  async verifySecret(id: string, secret: string): Promise<boolean> {
    if (this.#builtIn.has(id)) return false;
    const record = await this.#cache.get(id);
    const matches = matchesSecret(record?.secrets ?? [], secret, this.#needs.clock.now());
    const usable = record && !record.client.disabled && usesSecret(record.client.metadata.token_endpoint_auth_method);
    return matches && usable === true;
  }

  hurry(): void {
    this.#cache.clear();
  }

  #changed(id: ClientId): void {
    // In a unit of work that is not over others read, and remember, what was before.
    whenOver(() => this.#cache.drop(id));
    this.#cache.drop(id);
  }
}

/** Makes the clients domain. */
export const createClients = (needs: Needs): Clients => new ClientRegistry(needs);
