import { z } from 'zod';
import { deviceText } from '../../devices/index.ts';
import type { ListedSession } from '../../sessions/index.ts';
import { AppError } from '../../shared/errors.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';
import { moment, table } from '../render.ts';
import { getAccount, login } from './users.ts';

/** A session as it is printed: without the hash that ties it to a browser, and without who asks. */
const shown = ({ current: _current, deviceHash: _device, type, ...session }: ListedSession) => ({
  ...session,
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
  run: async ({ user }, domains) => (await domains.sessions.list((await getAccount(domains, user)).id)).map(shown),
  render: (sessions) =>
    table(
      ['id', 'device', 'ip', 'factors', 'signed in', 'last active', 'apps'],
      sessions.map((session) => [
        session.id,
        deviceText(session) ?? (session.kind === 'api' ? 'an app' : 'unknown'),
        session.lastIp ?? '',
        session.amr.join(' '),
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

export const sessionCommands = [list, end, endAll];
