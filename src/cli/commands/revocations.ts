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

/** A transaction of the database, 64 bits, then what was revoked. */
function isCursor(text: string): boolean {
  const [, transaction, kind] = /^(\d{1,20})\.([a-z]+)\.[\w-]{43}$/.exec(text) ?? [];
  return transaction !== undefined && BigInt(transaction) < 2n ** 64n && revocationKinds.some((one) => one === kind);
}

const list = defineCommand({
  name: 'revocations list',
  summary: 'List what was revoked and has not expired yet, last changed first. Ids are kept as hashes.',
  schema: z.object({
    kind: z.enum(revocationKinds).optional().describe('Only of this kind.'),
    id: z.string().min(1).max(1000).optional().describe('Only of this id, as it is in the token.'),
    limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many, 200 at most. Default: 50.'),
    after: z
      .string()
      .max(200)
      .refine(isCursor, 'Give the cursor of the last one of the page before, as --json prints it.')
      .optional()
      .describe('Cursor of the last one of the page before.'),
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
    const database = await revocations.count();
    // Only a server has read them; without one there is no memory to look into.
    if (refreshedAt === undefined) return { database };
    const memory = { total, byKind, ...(age !== undefined && { ageSeconds: age / 1000 }) };
    return { database, memory: { ...memory, refreshedAt: moment(refreshedAt) } };
  },
  render: ({ database, memory }) => {
    const kinds = revocationKinds.filter((kind) => (database[kind] ?? 0) + (memory?.byKind[kind] ?? 0) > 0);
    const rows = kinds.map((kind) => [
      kind,
      String(database[kind] ?? 0),
      ...(memory ? [String(memory.byKind[kind])] : []),
    ]);
    const counts = table(['kind', 'database', ...(memory ? ['memory'] : [])], rows, 'Nothing is revoked.');
    return memory ? `${counts}\n\n${facts([['memory read', memory.refreshedAt]])}` : counts;
  },
});

/** The id as tokens have it. @throws AppError `not_found` for what is not registered, because a typo would end nothing. */
async function idOf(domains: Domains, kind: string, given: string): Promise<string> {
  if (kind === 'account') return (await getAccount(domains, given)).id;
  const known = kind === 'client' ? domains.clients.find(given) : kind === 'api' ? domains.apis.find(given) : true;
  if (!(await known)) throw new AppError('not_found', `There is no ${kind === 'api' ? 'API' : 'client'} ${given}.`);
  return given;
}

/** Keys outlive the longest token, so each of them is ended beside the revocation. */
const endKeys = (
  { apiKeys }: Domains,
  which: { readonly before: number; readonly audience?: string | undefined; readonly reason: string },
): Promise<number> => apiKeys.revokeIssuedBefore(which, operator);

const counted = (count: number, name: string): string =>
  count === 0 ? '' : ` ${count} ${name}${count === 1 ? ' has' : 's have'} ended.`;

/** Sentences about what ended with it. */
const tellEnded = ({ sessions, apiKeys = 0 }: { readonly sessions: number; readonly apiKeys?: number }): string =>
  counted(sessions, 'session') + counted(apiKeys, 'API key');

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
    const keys = kind === 'api' && {
      apiKeys: await endKeys(domains, { before: Date.now(), audience: id, reason: why }),
    };
    // Its sessions are listed as ended, and apps are told.
    const sessions = kind === 'account' ? await domains.sessions.endRevoked(id as never, operator, 'ended-all') : 0;
    return { kind, ...(kind !== 'token' && { id }), sessions, ...keys };
  },
  render: ({ kind, id, ...ended }) => `${id ?? `The ${kind}`} is revoked.${tellEnded(ended)}`,
});

const allBefore = defineCommand({
  name: 'revocations all-before',
  summary:
    'Revoke everything issued until a moment: tokens, grants, API keys and sign-ins of all, or what is for one API.',
  schema: z.object({
    moment: z.iso
      .datetime({ offset: true, error: 'Give a moment such as 2026-03-01T12:00:00Z.' })
      .optional()
      .describe('Until when, ISO 8601. Default: now.'),
    api: z.string().min(1).max(512).optional().describe('Only access tokens and API keys for this API.'),
    reason,
  }),
  positional: 'moment',
  fields: { before: 'moment' },
  example: 'sallyport revocations all-before 2026-03-01T12:00:00Z --reason "the database was copied"',
  async run({ moment: text, api, reason: why }, domains) {
    const before = text === undefined ? undefined : Date.parse(text);
    const subject =
      api === undefined
        ? ({ kind: 'everything', id: everythingId } as const)
        : ({ kind: 'api', id: await idOf(domains, 'api', api) } as const);
    await domains.revocations.revoke({ ...subject, reason: why, by: operator, before });
    const until = before ?? Date.now();
    const sessions = api === undefined ? await domains.sessions.endSignedInBefore(until, operator) : 0;
    const apiKeys = await endKeys(domains, { before: until, audience: api, reason: why });
    return { ...subject, sessions, apiKeys, ...(before !== undefined && { before: moment(before) }) };
  },
  render: ({ kind, id, before = 'now', ...ended }) =>
    kind === 'api'
      ? `Access tokens for ${id} from before ${before} are revoked.${tellEnded(ended)}`
      : `Everything from before ${before} is revoked.${tellEnded(ended)} Everybody has to sign in again.`,
});

export const revocationCommands = [list, stats, add, allBefore];
