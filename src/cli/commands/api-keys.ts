import { z } from 'zod';
import type { ApiKey, IssuedKey, KeyOwner } from '../../api-keys/index.ts';
import { AppError } from '../../shared/errors.ts';
import { asClientId } from '../../shared/ids.ts';
import { defineCommand, wrongCursor } from '../command.ts';
import { type Domains, operator } from '../domains.ts';
import { facts, moment, table } from '../render.ts';
import { getClient } from './clients.ts';
import { getAccount } from './users.ts';

const ownerOptions = {
  user: z.string().max(320).optional().describe('Whose key it is: a username, email address or account id.'),
  client: z.string().max(100).optional().describe('Or the id of the service whose key it is.'),
};
const id = z.string().min(1).max(100).describe('Id of the key.');

interface OwnerOptions {
  readonly user?: string | undefined;
  readonly client?: string | undefined;
}

async function readOwner(domains: Domains, { user, client }: OwnerOptions): Promise<KeyOwner | undefined> {
  if (user !== undefined && client !== undefined) {
    throw new AppError('invalid_input', 'A key has one owner.', { fields: { user: 'Give --user or --client.' } });
  }
  if (user !== undefined) return { kind: 'account', id: (await getAccount(domains, user)).id };
  return client === undefined ? undefined : { kind: 'client', id: asClientId(client) };
}

/** A key as it is printed. */
const shown = (key: ApiKey) => ({
  id: key.id,
  name: key.name,
  owner: key.owner.id,
  audience: key.audience,
  scopes: key.scopes,
  status: statusOf(key),
  ...(key.rateLimit !== undefined && { rateLimit: key.rateLimit }),
  createdAt: moment(key.createdAt),
  issuedAt: moment(key.issuedAt),
  ...(key.expiresAt !== undefined && { expiresAt: moment(key.expiresAt) }),
  ...(key.previousUntil !== undefined && { previousUntil: moment(key.previousUntil) }),
  ...(key.lastUsedAt !== undefined && { lastUsedAt: moment(key.lastUsedAt) }),
  ...(key.revokedAt !== undefined && { revokedAt: moment(key.revokedAt) }),
});

function statusOf({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>): string {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && expiresAt <= Date.now() ? 'expired' : 'active';
}

const issued = ({ key, text }: IssuedKey) => ({ ...shown(key), key: text });

const renderIssued = (made: ReturnType<typeof issued>): string =>
  `${facts([
    ['key', made.key],
    ['id', made.id],
    ['owner', made.owner],
    ['API', made.audience],
    ['scopes', made.scopes.join(' ')],
    ['expires', made.expiresAt ?? 'never'],
    ['old one works until', made.previousUntil],
  ])}\n\nThe key is shown once. Put it where the program reads its secrets.`;

const create = defineCommand({
  name: 'api-keys create',
  summary: 'Make a key that a service or a script sends in the place of an access token.',
  schema: z.object({
    name: z.string().min(1).max(100).describe('What it is for.'),
    ...ownerOptions,
    api: z.string().min(1).max(512).describe('Identifier of the API that it is good for.'),
    scope: z.array(z.string().max(64)).describe('What it may do there.'),
    days: z.coerce.number().int().min(1).max(3650).optional().describe('How long it lives. Default: 90.'),
    forever: z.boolean().optional().describe('Let it live until it is revoked.'),
    perMinute: z.coerce
      .number()
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Uses in a minute. Default: any number.'),
  }),
  positional: 'name',
  fields: { audience: 'api', scopes: 'scope', expiresInDays: 'days', rateLimit: 'perMinute', owner: 'user' },
  example:
    'sallyport api-keys create "Nightly report" --client app_4m9c… --api https://api.example/ --scope notes:read',
  async run({ name, user, client, api, scope, days, forever, perMinute }, domains) {
    const owner = await readOwner(domains, { user, client });
    if (!owner)
      throw new AppError('invalid_input', 'Whose key is it?', { fields: { user: 'Give --user or --client.' } });
    const expiresInDays = forever === true ? null : days;
    const input = { owner, name, audience: api, scopes: scope, expiresInDays, rateLimit: perMinute };
    return issued(await domains.apiKeys.create(input, operator));
  },
  render: renderIssued,
});

const list = defineCommand({
  name: 'api-keys list',
  summary: 'List API keys, newest first; of one owner or of all.',
  schema: z.object({
    ...ownerOptions,
    after: z
      .string()
      .max(100)
      .regex(/^[\da-z]{16}$/, 'Give the id of the last key of the page before, 16 characters.')
      .optional()
      .describe('Id of the last key of the page before.'),
  }),
  positional: 'user',
  example: 'sallyport api-keys list --client app_4m9c…',
  async run({ user, client, after }, domains) {
    const owner = await readOwner(domains, { user, client });
    if (owner?.kind === 'client') await getClient(domains, owner.id);
    const last = after === undefined ? undefined : await domains.apiKeys.find(after);
    if (after !== undefined && !last) wrongCursor(`There is no key ${after}.`);
    const place = last && { at: last.createdAt, id: last.id };
    return (await domains.apiKeys.list({ owner, after: place })).map(shown);
  },
  render: (keys) =>
    table(
      ['id', 'name', 'owner', 'API', 'scopes', 'status', 'expires', 'last used'],
      keys.map((key) => [
        key.id,
        key.name,
        key.owner,
        key.audience,
        key.scopes.join(' '),
        key.status,
        key.expiresAt ?? 'never',
        key.lastUsedAt ?? 'never',
      ]),
      'There are no API keys.',
    ),
});

const rotate = defineCommand({
  name: 'api-keys rotate',
  summary: 'Give a key another text; the old one works for a while.',
  schema: z.object({
    key: id,
    overlap: z.coerce
      .number()
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .describe('Seconds that the old text works. Default: a day.'),
  }),
  positional: 'key',
  fields: { overlapSeconds: 'overlap' },
  example: 'sallyport api-keys rotate 4m7q2x9b1k5n8v3c --overlap 3600',
  run: async ({ key, overlap }, domains) =>
    issued(await domains.apiKeys.rotate(key, operator, { overlapSeconds: overlap })),
  render: renderIssued,
});

const revoke = defineCommand({
  name: 'api-keys revoke',
  summary: 'End a key at once, with every token that was made from it.',
  schema: z.object({ key: id }),
  positional: 'key',
  example: 'sallyport api-keys revoke 4m7q2x9b1k5n8v3c',
  async run({ key }, domains) {
    await domains.apiKeys.revoke(key, operator);
    return { id: key, revoked: true };
  },
  render: (result) => `${result.id} is over.`,
});

export const apiKeyCommands = [create, list, rotate, revoke];
