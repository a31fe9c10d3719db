import { z } from 'zod';
import type { ApiKey, ApiKeys, KeyOwner } from '../../api-keys/index.ts';
import type { Clients } from '../../clients/index.ts';
import { AppError } from '../../shared/errors.ts';
import { actorOf, contextOf, isoOf } from './me-surface.ts';
import { type Operation, operation, type PersonCaller, person } from './operation.ts';
import { cut, pageOf, pageQuery } from './paging.ts';
import { apiIdentifier } from './resource.ts';

const tag = 'Sessions and apps';

interface Needs {
  readonly apiKeys: ApiKeys;
  readonly clients: Pick<Clients, 'find'>;
  readonly issuer: string;
}

const moment = (description: string) => z.iso.datetime().meta({ description });

const key = z
  .object({
    id: z.string().meta({ description: 'Names the key and opens nothing. It is the part between the two lines.' }),
    name: z.string(),
    audience: z.string().meta({ description: 'The API that it is good for.' }),
    scopes: z.array(z.string()),
    status: z.enum(['active', 'expired', 'revoked']),
    created_at: moment('When it was made.'),
    issued_at: moment('When its present text was made.'),
    expires_at: moment('When it ends.').optional(),
    previous_until: moment('Until when the text before the last rotation works as well.').optional(),
    last_used_at: moment('Right to a minute.').optional(),
    rate_limit: z.int().optional().meta({ description: 'Uses in a minute.' }),
  })
  .meta({ id: 'ApiKey', description: 'A key for scripts and services, without its text.' });

const issued = z
  .object({ key, text: z.string().meta({ description: 'The key itself. It is shown now and never again.' }) })
  .meta({ id: 'IssuedApiKey', description: 'A key with its text.' });

const example: z.input<typeof key> = {
  id: '4m7q2x9b1k5n8v3c',
  name: 'Nightly report',
  audience: 'https://id.example/api/v1',
  scopes: ['account:read'],
  status: 'active',
  created_at: '2026-11-21T09:40:00.000Z',
  issued_at: '2026-11-21T09:40:00.000Z',
  expires_at: '2027-02-19T09:40:00.000Z',
};

const issuedExample: z.input<typeof issued> = {
  key: example,
  text: 'spk_4m7q2x9b1k5n8v3c_…',
};

const ownerOf = ({ account }: PersonCaller): KeyOwner => ({ kind: 'account', id: account.id });

/**
 * A key outlives the app that made it and what the person lets that app do, so apps of others make none; those of the
 * house make what they could ask for themselves. @throws AppError `forbidden`.
 */
async function checkMaker(
  { clients }: Pick<Needs, 'clients'>,
  { by }: PersonCaller,
  { audience, scopes }: Pick<ApiKey, 'audience' | 'scopes'>,
): Promise<void> {
  if (by.kind === 'browser') return;
  const client = await clients.find(by.clientId);
  const allowed = client?.firstParty && Object.hasOwn(client.apis, audience) ? client.apis[audience] : undefined;
  if (allowed && (allowed.length === 0 || scopes.every((scope) => allowed.includes(scope)))) return;
  throw new AppError('forbidden', 'This app may not have such an API key made. Make it in your own browser.');
}

const statusOf = ({ revokedAt, expiresAt }: ApiKey, now: number): 'active' | 'expired' | 'revoked' => {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && expiresAt <= now ? 'expired' : 'active';
};

/** A key as answers have it. */
const shown = (one: ApiKey): z.input<typeof key> => ({
  id: one.id,
  name: one.name,
  audience: one.audience,
  scopes: [...one.scopes],
  status: statusOf(one, Date.now()),
  created_at: isoOf(one.createdAt),
  issued_at: isoOf(one.issuedAt),
  ...(one.expiresAt !== undefined && { expires_at: isoOf(one.expiresAt) }),
  ...(one.previousUntil !== undefined && { previous_until: isoOf(one.previousUntil) }),
  ...(one.lastUsedAt !== undefined && { last_used_at: isoOf(one.lastUsedAt) }),
  ...(one.rateLimit !== undefined && { rate_limit: one.rateLimit }),
});

const params = z.strictObject({ id: z.string().min(1).max(100).meta({ description: 'Which key.' }) });

const list = ({ apiKeys }: Needs): Operation =>
  operation({
    method: 'get',
    path: '/me/api-keys',
    id: 'listMyApiKeys',
    tag,
    summary: 'List your API keys',
    description: 'Also those that are over, for 90 days.',
    access: person('account:security'),
    query: pageQuery,
    replies: { 200: { description: 'A page of keys.', body: pageOf(key), example: { items: [example] } } },
    async handler({ caller, query: { limit, cursor } }) {
      const found = await apiKeys.list({ owner: ownerOf(caller), limit: limit + 1, after: cursor });
      const { shown: page, next } = cut(found, limit, ({ id, createdAt }) => ({ id, at: createdAt }));
      return { status: 200, body: { items: page.map(shown), ...next } };
    },
  });

const create = ({ apiKeys, clients, issuer }: Needs): Operation =>
  operation({
    method: 'post',
    path: '/me/api-keys',
    id: 'createMyApiKey',
    tag,
    summary: 'Make an API key',
    description:
      'For a script of yours: it sends the key in the place of an access token, and may do what the scopes say, except what wants a recent sign-in. Only where the operator lets everybody have keys.',
    access: person('account:security', 'recent'),
    body: z.strictObject({
      name: z.string().min(1).max(100).meta({ description: 'What it is for.' }),
      audience: z.string().min(1).max(512).optional().meta({ description: 'The API. Default: this one.' }),
      scopes: z.array(z.string().min(1).max(64)).min(1).max(200).meta({ description: 'What it may do there.' }),
      expires_in_days: z.int().min(1).max(3650).default(90).meta({ description: 'How long it lives.' }),
    }),
    example: { name: 'Nightly report', scopes: ['account:read'], expires_in_days: 90 },
    refusals: {
      forbidden: 'The operator does not let people make keys, or not this app.',
      conflict: 'There are too many keys. Revoke one.',
      unprocessable: 'There is no such API or scope.',
    },
    replies: { 201: { description: 'The key, once.', body: issued, example: issuedExample } },
    async handler({ caller, body, meta }) {
      const { name, audience = apiIdentifier(issuer), scopes, expires_in_days: expiresInDays } = body;
      await checkMaker({ clients }, caller, { audience, scopes });
      const made = await apiKeys.create(
        { owner: ownerOf(caller), name, audience, scopes, expiresInDays },
        actorOf(caller),
        { context: contextOf(caller, meta), strong: caller.acr === 'aal2' },
      );
      return { status: 201, body: { key: shown(made.key), text: made.text } };
    },
  });

const rotate = ({ apiKeys, clients }: Needs): Operation =>
  operation({
    method: 'post',
    path: '/me/api-keys/{id}/rotate',
    id: 'rotateMyApiKey',
    tag,
    summary: 'Rotate an API key',
    description:
      'Gives the key another text, which lives as long as the one before did. The old one works for a while.',
    access: person('account:security', 'recent'),
    params,
    body: z.strictObject({
      overlap_seconds: z
        .int()
        .min(0)
        .max(30 * 86_400)
        .default(86_400)
        .meta({ description: 'How long the old text works. 0 ends it at once.' }),
    }),
    example: { overlap_seconds: 86_400 },
    refusals: {
      forbidden: 'The operator does not let people make keys, or not this app.',
      conflict: 'It is over, or somebody rotated it at the same moment.',
      not_found: 'You have no such key.',
    },
    replies: { 200: { description: 'The key, once.', body: issued, example: issuedExample } },
    async handler({ caller, params: { id }, body, meta }) {
      const live = await apiKeys.findLive(id);
      if (live && live.key.owner.id === caller.account.id) await checkMaker({ clients }, caller, live.key);
      const made = await apiKeys.rotate(id, actorOf(caller), {
        overlapSeconds: body.overlap_seconds,
        owner: ownerOf(caller),
        context: contextOf(caller, meta),
      });
      return { status: 200, body: { key: shown(made.key), text: made.text } };
    },
  });

const revoke = ({ apiKeys }: Needs): Operation =>
  operation({
    method: 'delete',
    path: '/me/api-keys/{id}',
    id: 'revokeMyApiKey',
    tag,
    summary: 'Revoke an API key',
    description: 'It is over at once, with every token that was made from it.',
    access: person('account:security', 'recent'),
    params,
    refusals: { not_found: 'You have no such key.' },
    replies: { 204: { description: 'It is over.' } },
    async handler({ caller, params: { id }, meta }) {
      await apiKeys.revoke(id, actorOf(caller), { owner: ownerOf(caller), context: contextOf(caller, meta) });
      return { status: 204 };
    },
  });

/** What people do with their own keys. */
export const keyOperations = (needs: Needs): readonly Operation[] => [
  list(needs),
  create(needs),
  rotate(needs),
  revoke(needs),
];
