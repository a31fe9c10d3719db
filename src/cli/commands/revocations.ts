import { z } from 'zod';
import { everythingId, revocationKinds } from '../../revocation/index.ts';
import { AppError } from '../../shared/errors.ts';
import { defineCommand } from '../command.ts';
import { type Domains, operator } from '../domains.ts';
import { facts, moment, table } from '../render.ts';
import { getAccount } from './users.ts';

const reason = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .describe('Why, in a few words, for the audit log and for whoever asks.');

const list = defineCommand({
  name: 'revocations list',
  summary: 'List what was revoked and has not expired yet, last changed first. Ids are kept as hashes.',
  schema: z.object({
    kind: z.enum(revocationKinds).optional().describe('Only of this kind.'),
    id: z.string().min(1).max(1000).optional().describe('Only of this id, as it is in the token.'),
    limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many, 200 at most. Default: 50.'),
    after: z.string().max(200).optional().describe('Cursor of the last one of the page before.'),
  }),
  example: 'sallyport revocations list --kind client',
  run: async (filter, { revocations }) =>
    (await revocations.list(filter)).map(({ revokedAt, expiresAt, ...rest }) => ({
      ...rest,
      revokedAt: moment(revokedAt),
      expiresAt: moment(expiresAt),
    })),
  render: (all) =>
    table(
      ['kind', 'id (hash)', 'issued until', 'expires', 'by', 'reason'],
      all.map(({ kind, idHash, revokedAt, expiresAt, by, reason: why }) => [
        kind,
        idHash.slice(0, 12),
        revokedAt,
        expiresAt,
        by,
        why,
      ]),
      'Nothing is revoked.',
    ),
});

const stats = defineCommand({
  name: 'revocations stats',
  summary: 'Count revocations by kind, in the database and in the memory of the server that answers.',
  schema: z.object({}),
  async run(_input, { revocations }) {
    const { byKind, total, age, refreshedAt } = revocations.statistics();
    const memory = { total, byKind, ...(age !== undefined && { ageSeconds: age / 1000 }) };
    return {
      database: await revocations.count(),
      memory: { ...memory, ...(refreshedAt !== undefined && { refreshedAt: moment(refreshedAt) }) },
    };
  },
  render: ({ database, memory }) =>
    [
      table(
        ['kind', 'database', 'memory'],
        revocationKinds
          .filter((kind) => (database[kind] ?? 0) + memory.byKind[kind] > 0)
          .map((kind) => [kind, String(database[kind] ?? 0), String(memory.byKind[kind])]),
        'Nothing is revoked.',
      ),
      '',
      facts([['memory read', memory.refreshedAt ?? 'not yet, by this process']]),
    ].join('\n'),
});

/** The id as tokens have it. @throws AppError `not_found` for what is not registered, because a typo would end nothing. */
async function idOf(domains: Domains, kind: string, given: string): Promise<string> {
  if (kind === 'account') return (await getAccount(domains, given)).id;
  const known = kind === 'client' ? domains.clients.find(given) : kind === 'api' ? domains.apis.find(given) : true;
  if (!(await known)) throw new AppError('not_found', `There is no ${kind === 'api' ? 'API' : 'client'} ${given}.`);
  return given;
}

const add = defineCommand({
  name: 'revocations add',
  summary: 'Revoke one token or grant, or all tokens that an account, app or API was issued before now.',
  schema: z.object({
    kind: z.enum(['token', 'grant', 'account', 'client', 'api']).describe('token, grant, account, client or api.'),
    id: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .describe('Of a JWT its jti, of an account its id, username or address, of an API its identifier.'),
    token: z.string().min(1).max(1000).optional(),
    reason,
  }),
  stdin: { 'token-stdin': 'token' },
  example: 'sallyport revocations add --kind client --id app_… --reason "its secret leaked"',
  async run({ kind, id: given, token, reason: why }, domains) {
    const named = kind === 'token' ? (given ?? token) : given;
    if (named === undefined || (given !== undefined && token !== undefined)) {
      const message = 'Give an id, or for an opaque token the token itself on standard input, with --token-stdin.';
      throw new AppError('invalid_input', message, { fields: { id: message } });
    }
    const id = await idOf(domains, kind, named);
    await domains.revocations.revoke({ kind, id, reason: why, by: operator });
    // Its sessions are listed as ended, and apps are told.
    const sessions = kind === 'account' ? await domains.sessions.endRevoked(id as never, operator, 'ended-all') : 0;
    return { kind, ...(kind !== 'token' && { id }), sessions };
  },
  render: ({ kind, id, sessions }) =>
    `${id ?? `The ${kind}`} is revoked${sessions > 0 ? `, and ${sessions} ${sessions === 1 ? 'session has' : 'sessions have'} ended` : ''}.`,
});

const allBefore = defineCommand({
  name: 'revocations all-before',
  summary:
    'Revoke everything that was issued until a moment: tokens, grants and sign-ins of everybody, or the tokens of one API.',
  schema: z.object({
    moment: z.iso
      .datetime({ offset: true, error: 'Give a moment such as 2026-03-01T12:00:00Z.' })
      .optional()
      .describe('Until when, ISO 8601. Default: now.'),
    api: z.string().min(1).max(512).optional().describe('Only access tokens for this API.'),
    reason,
  }),
  positional: 'moment',
  example: 'sallyport revocations all-before 2026-03-01T12:00:00Z --reason "the database was copied"',
  async run({ moment: text, api, reason: why }, domains) {
    const before = text === undefined ? undefined : Date.parse(text);
    const subject =
      api === undefined
        ? ({ kind: 'everything', id: everythingId } as const)
        : ({ kind: 'api', id: await idOf(domains, 'api', api) } as const);
    await domains.revocations.revoke({ ...subject, reason: why, by: operator, before });
    const sessions = api === undefined ? await domains.sessions.endSignedInBefore(before ?? Date.now(), operator) : 0;
    return { ...subject, sessions, ...(before !== undefined && { before: moment(before) }) };
  },
  render: ({ kind, id, before, sessions }) =>
    kind === 'api'
      ? `Access tokens for ${id} from before ${before ?? 'now'} are revoked.`
      : `Everything from before ${before ?? 'now'} is revoked, and ${sessions} ${sessions === 1 ? 'session has' : 'sessions have'} ended. Everybody has to sign in again.`,
});

export const revocationCommands = [list, stats, add, allBefore];
