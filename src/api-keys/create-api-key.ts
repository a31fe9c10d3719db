import { z } from 'zod';
import type { Api } from '../apis/index.ts';
import type { Actor } from '../audit/index.ts';
import { AppError } from '../shared/errors.ts';
import { type ApiKey, effectiveScopes, type NewApiKey } from './api-key.ts';
import { hashOfKey, newKeyId, newKeyText } from './key-text.ts';
import { day, eventOf, type KeyContext, type KeyParts } from './parts.ts';

/** Keys of one owner that can be used at the same time. */
const mostKeys = 50;
const defaultDays = 90;

const schema = z.strictObject({
  owner: z.object({ kind: z.enum(['account', 'client']), id: z.string() }),
  name: z
    .string()
    .trim()
    .min(1, 'Give a name.')
    .max(100, 'Keep it to 100 characters.')
    .refine((value) => !/\p{C}/u.test(value), 'It has characters that cannot be shown.'),
  audience: z.string().max(512),
  scopes: z
    .array(z.string().max(64))
    .min(1, 'Name at least one scope.')
    .max(200, 'Name 200 scopes at most.')
    .transform((names) => [...new Set(names)]),
  expiresInDays: z
    .int('Give whole days.')
    .min(1, 'Give one day or more.')
    .max(3650, 'Give 3650 days or less.')
    .nullish(),
  rateLimit: z.int('Give a whole number.').min(1, 'Give 1 or more.').max(100_000, 'Give 100000 or less.').optional(),
});

const refuse = (fields: Readonly<Record<string, string>>): never => {
  throw new AppError('invalid_input', 'The API key cannot be made like that.', { fields });
};

function read(input: NewApiKey): NewApiKey {
  const result = schema.safeParse(input);
  if (result.success) return { ...result.data, owner: input.owner };
  return refuse(Object.fromEntries(result.error.issues.map(({ path, message }) => [String(path[0]), message])));
}

/** What people may not do for themselves. */
function checkRights({ mode }: KeyParts, { expiresInDays, rateLimit }: NewApiKey, by: Actor): void {
  if (mode === 'off') throw new AppError('forbidden', 'API keys are turned off here.');
  if (by.kind === 'operator') return;
  if (mode !== 'everyone') throw new AppError('forbidden', 'API keys are made by the administrators here.');
  if (expiresInDays === null) refuse({ expiresInDays: 'Only an operator can make a key that does not expire.' });
  if (rateLimit !== undefined) refuse({ rateLimit: 'Only an operator can set a limit.' });
}

/** The API, once the key may have all of the scopes. */
async function findApi({ apis, clients }: KeyParts, input: NewApiKey): Promise<Api> {
  const { audience, scopes, owner } = input;
  const [api, client] = await Promise.all([
    apis.find(audience),
    owner.kind === 'client' ? clients.find(owner.id) : undefined,
  ]);
  if (!api) return refuse({ audience: 'There is no such API.' });
  if (owner.kind === 'client' && !client) throw new AppError('not_found', 'There is no such client.');
  const given = new Set(effectiveScopes({ ...input, scopes } as unknown as ApiKey, api, client));
  const missing = scopes.find((scope) => !given.has(scope));
  if (missing === undefined) return api;
  const known = api.scopes.some(({ name }) => name === missing);
  return refuse({
    scopes: known ? `The client itself may not have ${missing} there.` : `${api.name} has no scope ${missing}.`,
  });
}

/**
 * Makes a key. Its text is in the result and nowhere else.
 * @param strong whether a person who makes one for themselves has shown the second factor
 * @throws AppError `forbidden`, `invalid_input`, `not_found`, `conflict`.
 */
export async function createApiKey(
  parts: KeyParts,
  given: NewApiKey,
  by: Actor,
  { context, strong = false }: { readonly context?: KeyContext | undefined; readonly strong?: boolean | undefined },
): Promise<{ readonly key: ApiKey; readonly text: string }> {
  const { store, clock, audit } = parts;
  checkRights(parts, given, by);
  const input = read(given);
  const api = await findApi(parts, input);
  if (api.requireSecondFactor && by.kind === 'account' && !strong) {
    throw new AppError('forbidden', `${api.name} takes only what was asked for with the second factor.`);
  }
  const now = clock.now();
  const { owner, name, audience, scopes, rateLimit, expiresInDays = defaultDays } = input;
  const key: ApiKey = {
    id: newKeyId(),
    owner,
    name,
    audience,
    scopes,
    createdAt: now,
    issuedAt: now,
    ...(expiresInDays !== null && { expiresAt: now + expiresInDays * day }),
    ...(rateLimit !== undefined && { rateLimit }),
  };
  const text = newKeyText(key.id);
  await store.transaction(async () => {
    const result = await store.insert(key, hashOfKey(text), mostKeys);
    if (result === 'no-owner') throw new AppError('not_found', `There is no such ${owner.kind}.`);
    if (result === 'too-many') {
      throw new AppError('conflict', `There are ${mostKeys} API keys already. Revoke one that is not needed.`);
    }
    await audit.record(eventOf('api_key.created', key, by, { context, details: { scopes } }));
  });
  return { key, text };
}
