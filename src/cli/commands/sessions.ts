import { z } from 'zod';
import { deviceText } from '../../devices/index.ts';
import type { RiskStanding } from '../../risk/index.ts';
import type { ListedSession } from '../../sessions/index.ts';
import { AppError } from '../../shared/errors.ts';
import { asClientId } from '../../shared/ids.ts';
import { defineCommand, wrongCursor } from '../command.ts';
import { operator } from '../domains.ts';
import { moment, table } from '../render.ts';
import { getAccount, login } from './users.ts';

/** A session as it is printed: without the hash that ties it to a browser, and without who asks. */
const shown = (
  { current: _current, deviceHash: _device, type, ...session }: ListedSession,
  { trust = 0, signals = [] }: Partial<RiskStanding> = {},
) => ({
  ...session,
  trust,
  signals,
  device: type,
  createdAt: moment(session.createdAt),
  authenticatedAt: moment(session.authenticatedAt),
  lastActiveAt: moment(session.lastActiveAt),
  expiresAt: moment(session.expiresAt),
});

const list = defineCommand({
  name: 'sessions list',
  summary: 'List where an account is signed in, newest first.',
  schema: z.object({ user: login }),
  positional: 'user',
  example: 'sallyport sessions list alex@example.com',
  async run({ user }, domains) {
    const { id } = await getAccount(domains, user);
    const sessions = await domains.sessions.list(id);
    const standings = await domains.risk.standingOf(id, sessions);
    return sessions.map((session, index) => shown(session, standings[index]));
  },
  render: (sessions) =>
    table(
      ['id', 'device', 'ip', 'factors', 'trust', 'signed in', 'last active', 'apps'],
      sessions.map((session) => [
        session.id,
        deviceText(session) ?? (session.kind === 'api' ? 'an app' : 'unknown'),
        session.lastIp ?? '',
        session.amr.join(' '),
        [session.trust, ...session.signals].join(' '),
        session.authenticatedAt,
        session.lastActiveAt,
        session.clientIds.join(' '),
      ]),
      'This account is signed in nowhere.',
    ),
});

const end = defineCommand({
  name: 'sessions end',
  summary: 'End one session with its tokens: the browser is signed out and its apps have to ask again.',
  schema: z.object({ session: z.string().min(1).max(100).describe('Id of the session.') }),
  positional: 'session',
  example: 'sallyport sessions end ses_4m9c…',
  async run({ session }, domains) {
    if (await domains.sessions.end(session, operator)) return { id: session, ended: 1 };
    throw new AppError('not_found', `There is no open session ${session}.`);
  },
  render: ({ id }) => `${id} has ended.`,
});

const endAll = defineCommand({
  name: 'sessions end-all',
  summary: 'End every session of an account, and every token that it was issued before now.',
  schema: z.object({ user: login }),
  positional: 'user',
  example: 'sallyport sessions end-all alex@example.com',
  async run({ user }, domains) {
    const account = await getAccount(domains, user);
    return { id: account.id, email: account.email, ended: await domains.sessions.endAll(account.id, operator) };
  },
  render: ({ email, ended }) =>
    `${email} is signed out everywhere (${ended} ${ended === 1 ? 'session' : 'sessions'}), and its tokens are revoked.`,
});

const deliveries = defineCommand({
  name: 'sessions deliveries',
  summary: 'List which apps were told that a session has ended, and what became of it, newest first.',
  schema: z.object({
    client: z.string().min(1).max(100).optional().describe('Only of this app.'),
    user: login.optional().describe('Only of this account: id, username or mail address.'),
    status: z.enum(['pending', 'delivered', 'failed', 'superseded']).optional().describe('Only with this outcome.'),
    limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many, 200 at most. Default: 50.'),
    after: z
      .string()
      .max(100)
      .regex(/^lgo_\w+$/, 'Give the id of the last one of the page before, lgo_ and more.')
      .optional()
      .describe('Id of the last one of the page before.'),
  }),
  example: 'sallyport sessions deliveries --status failed',
  async run({ client, user, after, ...filter }, domains) {
    const last = after === undefined ? undefined : await domains.backChannel.find(after);
    if (after !== undefined && !last) wrongCursor(`There is no delivery ${after}.`);
    const listed = await domains.backChannel.list({
      ...filter,
      after: last,
      clientId: client === undefined ? undefined : asClientId(client),
      accountId: user === undefined ? undefined : (await getAccount(domains, user)).id,
    });
    return listed.map(({ createdAt, nextAt, settledAt, ...delivery }) => ({
      ...delivery,
      createdAt: moment(createdAt),
      ...(nextAt !== undefined && { nextAt: moment(nextAt) }),
      ...(settledAt !== undefined && { settledAt: moment(settledAt) }),
    }));
  },
  render: (all) =>
    table(
      ['id', 'app', 'account', 'ended', 'why', 'outcome', 'tries', 'answer'],
      all.map(({ id, clientId, accountId, createdAt, reason, status, attempts, answer, error }) => [
        id,
        clientId,
        accountId,
        createdAt,
        reason,
        status,
        String(attempts),
        [answer, error].filter((part) => part !== undefined).join(' '),
      ]),
      'No app had to be told.',
    ),
});

export const sessionCommands = [list, end, endAll, deliveries];
