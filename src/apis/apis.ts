import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { whenOver } from '../storage/unit-of-work.ts';
import type { Api, ApiPatch, NewApi } from './api.ts';
import { ApiCache } from './api-cache.ts';
import type { ApiStore } from './api-store.ts';
import { readApiPatch, readNewApi } from './read-api-input.ts';

/** The registered APIs. Every change is audited in the same transaction. */
export interface Apis {
  /** @throws AppError `invalid_input`, or `conflict` when the identifier is registered. */
  create(input: NewApi, by: Actor): Promise<Api>;
  /**
   * Exact look-up; the identifier is compared character by character (RFC 8707 §2). From this process's memory when it
   * was filled less than five seconds ago; what another node changed meanwhile is known with {@link hurry}.
   */
  find(identifier: string): Promise<Api | undefined>;
  /** Looks again: another node has changed something. */
  hurry(): void;
  /** By name. The built-in ones are found by their identifier only. */
  list(): Promise<Api[]>;
  /** @throws AppError `not_found`, `invalid_input`, or `conflict` when `version` is old. */
  update(identifier: string, version: number, patch: ApiPatch, by: Actor): Promise<Api>;
  /** @throws AppError `not_found`. */
  remove(identifier: string, by: Actor): Promise<void>;
}

interface Needs {
  readonly store: ApiStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** The server's own APIs, which are code and not data: nobody can register, change or remove them. */
  readonly builtIn?: readonly Api[] | undefined;
}

const noApi = (): AppError => new AppError('not_found', 'There is no such API.');

async function create({ store, clock, audit, builtIn }: Needs, given: NewApi, by: Actor): Promise<Api> {
  const input = readNewApi(given);
  const reserved = builtIn?.some(({ identifier }) => identifier === input.identifier);
  const now = clock.now();
  const api: Api = {
    identifier: input.identifier,
    name: input.name,
    scopes: input.scopes ?? [],
    tokenFormat: input.tokenFormat ?? 'jwt',
    signingAlg: input.signingAlg ?? 'ES256',
    requireSecondFactor: input.requireSecondFactor ?? false,
    statusList: input.statusList ?? false,
    createdAt: now,
    updatedAt: now,
    version: 1,
    ...(input.accessTokenSeconds !== undefined && { accessTokenSeconds: input.accessTokenSeconds }),
  };
  return store.transaction(async () => {
    if (reserved || !(await store.insert(api))) {
      const taken = 'An API with this identifier is registered.';
      throw new AppError('conflict', taken, { fields: { identifier: taken } });
    }
    await audit.record({ type: 'api.created', actor: by, outcome: 'success', subject: api.identifier });
    return api;
  });
}

async function update(
  { store, clock, audit }: Needs,
  identifier: string,
  version: number,
  given: ApiPatch,
  by: Actor,
): Promise<Api> {
  const patch = readApiPatch(given);
  return store.transaction(async () => {
    const current = await store.find(identifier);
    if (!current) throw noApi();
    const { accessTokenSeconds: currentSeconds, ...rest } = current;
    const seconds = patch.accessTokenSeconds === undefined ? currentSeconds : patch.accessTokenSeconds;
    const next: Api = {
      ...rest,
      name: patch.name ?? current.name,
      scopes: patch.scopes ?? current.scopes,
      tokenFormat: patch.tokenFormat ?? current.tokenFormat,
      signingAlg: patch.signingAlg ?? current.signingAlg,
      requireSecondFactor: patch.requireSecondFactor ?? current.requireSecondFactor,
      statusList: patch.statusList ?? current.statusList ?? false,
      updatedAt: clock.now(),
      version: version + 1,
      ...(typeof seconds === 'number' && { accessTokenSeconds: seconds }),
    };
    if (!(await store.replace(next))) {
      throw new AppError('conflict', 'The API was changed meanwhile. Load it again and repeat the change.');
    }
    const fields = Object.keys(given).sort();
    await audit.record({
      type: 'api.updated',
      actor: by,
      outcome: 'success',
      subject: identifier,
      details: { fields },
    });
    return next;
  });
}

/** Makes the APIs domain. */
export function createApis(needs: Needs): Apis {
  const cache = new ApiCache(needs.store, needs.clock);
  const builtIn = new Map((needs.builtIn ?? []).map((api) => [api.identifier, api]));
  const changing = async <T>(change: Promise<T>): Promise<T> => {
    try {
      return await change;
    } finally {
      // In a unit of work that is not over others read, and remember, what was before.
      whenOver(() => cache.drop());
      cache.drop();
    }
  };
  return {
    create: (input, by) => changing(create(needs, input, by)),
    find: async (identifier) => builtIn.get(identifier) ?? cache.find(identifier),
    hurry: () => cache.drop(),
    list: () => needs.store.list(),
    update: (identifier, version, patch, by) => changing(update(needs, identifier, version, patch, by)),
    remove: (identifier, by) =>
      changing(
        needs.store.transaction(async () => {
          if (!(await needs.store.remove(identifier))) throw noApi();
          await needs.audit.record({ type: 'api.removed', actor: by, outcome: 'success', subject: identifier });
        }),
      ),
  };
}
