import { z } from 'zod';
import { deviceText } from '../../devices/index.ts';
import { type RiskStanding, riskSignals } from '../../risk/index.ts';
import type { Session } from '../../sessions/index.ts';
import { AppError } from '../../shared/errors.ts';
import { actorOf, isoOf, type MeSurface, sessionOf } from './me-surface.ts';
import { type Operation, operation, person } from './operation.ts';
import { pageIn, pageOf, pageQuery } from './paging.ts';

const tag = 'Sessions and apps';
const moment = (description: string) => z.iso.datetime().meta({ description });
const text = (description: string) => z.string().optional().meta({ description });

const session = z
  .object({
    id: z.string().meta({ description: 'Names the session and opens nothing.' }),
    kind: z.enum(['browser', 'api']).meta({ description: 'A browser, or an app that signed the person in by itself.' }),
    current: z.boolean().meta({ description: 'Whether it is the one that asks, as far as that can be told.' }),
    device: text('Browser and system, for example `Firefox on Linux`.'),
    ip: text('Address of the last activity.'),
    location: text('Where that is, when the installation knows.'),
    second_factor: z.boolean().meta({ description: 'Whether the second factor was shown.' }),
    trust: z.int().min(0).max(100).meta({
      description: 'How far it may be trusted to be the person’s, for people who look; nothing is decided by it.',
    }),
    signals: z.array(z.enum(riskSignals)).meta({ description: 'What was unusual about it.' }),
    apps: z.array(z.string()).meta({ description: 'Names of the apps that were used in it.' }),
    signed_in_at: moment('When the person last proved who they are in it.'),
    last_active_at: moment('Right to a minute.'),
    expires_at: moment('When it ends whatever happens.'),
  })
  .meta({ id: 'Session', description: 'Somewhere that the person is signed in.' });

const example: z.input<typeof session> = {
  id: 'ses_5n8v3c6z0w2p4r7k2m9q4x1b',
  kind: 'browser',
  current: true,
  device: 'Firefox on Linux',
  ip: '203.0.113.20',
  second_factor: true,
  trust: 95,
  signals: ['address-changed'],
  apps: ['Fernhill Notes'],
  signed_in_at: '2026-11-20T08:12:05.000Z',
  last_active_at: '2026-11-21T09:40:00.000Z',
  expires_at: '2026-12-04T08:12:05.000Z',
};

const calm: RiskStanding = { signals: [], trust: 0 };

async function shown(
  { clients }: MeSurface,
  one: Session,
  current: boolean,
  { trust, signals }: RiskStanding,
): Promise<z.input<typeof session>> {
  const { id, kind, ip, lastIp, location, acr, clientIds, authenticatedAt, lastActiveAt, expiresAt } = one;
  const names = await Promise.all(clientIds.map(async (clientId) => (await clients.find(clientId))?.name));
  return {
    id,
    kind,
    current,
    device: deviceText(one),
    ip: lastIp ?? ip,
    location,
    second_factor: acr === 'aal2',
    trust,
    signals: [...signals],
    apps: [...new Set(names.filter((name) => name !== undefined))],
    signed_in_at: isoOf(authenticatedAt),
    last_active_at: isoOf(lastActiveAt),
    expires_at: isoOf(expiresAt),
  };
}

const list = (surface: MeSurface): Operation =>
  operation({
    method: 'get',
    path: '/me/sessions',
    id: 'listMySessions',
    tag,
    summary: 'List your sessions',
    description: 'Where you are signed in, the latest sign-in first.',
    access: person('account:security'),
    query: pageQuery,
    replies: { 200: { description: 'A page of sessions.', body: pageOf(session), example: { items: [example] } } },
    async handler({ caller, query }) {
      const [open, current] = await Promise.all([surface.sessions.list(caller.account.id), sessionOf(surface, caller)]);
      const { shown: page, next } = pageIn(open, query, ({ id, createdAt }) => ({ id, at: createdAt }));
      const standings = await surface.risk.standingOf(caller.account.id, page);
      const items = await Promise.all(
        page.map((one, index) => shown(surface, one, one.id === current?.id, standings[index] ?? calm)),
      );
      return { status: 200, body: { items, ...next } };
    },
  });

const end = ({ sessions }: MeSurface): Operation =>
  operation({
    method: 'delete',
    path: '/me/sessions/{id}',
    id: 'endMySession',
    tag,
    summary: 'End a session',
    description:
      'Signs that browser or app out, with every token of the apps that were used in it. It may be your own.',
    access: person('account:security', 'recent'),
    params: z.strictObject({ id: z.string().min(1).max(100).meta({ description: 'Which session.' }) }),
    refusals: { not_found: 'You have no such session; it may have ended already.' },
    replies: { 204: { description: 'It has ended.' } },
    async handler({ caller, params, meta }) {
      const options = { owner: caller.account.id, meta };
      if (!(await sessions.end(params.id, actorOf(caller), 'ended', options))) {
        throw new AppError('not_found', 'There is no such session. It may have ended already.');
      }
      return { status: 204 };
    },
  });

const endOthers = (surface: MeSurface): Operation =>
  operation({
    method: 'delete',
    path: '/me/sessions',
    id: 'endMyOtherSessions',
    tag,
    summary: 'End all other sessions',
    description:
      'Signs out everywhere but in the session that asks: the one of the browser, or the one that the access token came from.',
    access: person('account:security', 'recent'),
    replies: {
      200: {
        description: 'How many have ended.',
        body: z.object({ ended: z.int().min(0).meta({ description: 'Sessions that were open until now.' }) }),
        example: { ended: 2 },
      },
    },
    async handler({ caller, meta }) {
      const keep = await sessionOf(surface, caller);
      const ended = await surface.sessions.endOthers(caller.account.id, keep?.id, actorOf(caller), meta);
      return { status: 200, body: { ended } };
    },
  });

/** Where somebody is signed in. */
export const sessionOperations = (surface: MeSurface): readonly Operation[] => [
  list(surface),
  endOthers(surface),
  end(surface),
];
