import { z } from 'zod';
import type { AuditRow } from '../../audit/index.ts';
import { describeDevice, deviceText } from '../../devices/index.ts';
import type { AccountId } from '../../shared/ids.ts';
import { activityTypes, activityWords } from '../account-console/activity-texts.ts';
import { isoOf, type MeSurface } from './me-surface.ts';
import { type Operation, operation, person } from './operation.ts';
import { cut, pageOf, pageQuery } from './paging.ts';

const event = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    type: z.string().meta({ description: 'The kind of event. New kinds may come.' }),
    text: z.string().meta({ description: 'The same in words.' }),
    outcome: z.enum(['success', 'failure']),
    by: z
      .enum(['you', 'administrator', 'server', 'app', 'somebody'])
      .meta({ description: '`somebody` did not say who they are, for example in a sign-in that failed.' }),
    app: z.string().optional().meta({ description: 'Name of the app that it is about.' }),
    device: z.string().optional().meta({ description: 'Browser and system, unless it was an administrator’s.' }),
    ip: z.string().optional().meta({ description: 'Address, unless it was an administrator’s.' }),
  })
  .meta({ id: 'Activity', description: 'Something that was done with the account.' });

const actors = { operator: 'administrator', system: 'server', client: 'app', stranger: 'somebody' } as const;

/** The row for its person: an administrator's or an app's address and browser are not theirs to see. */
async function shown({ clients }: MeSurface, row: AuditRow, own: AccountId): Promise<z.input<typeof event>> {
  const { id, at, type, outcome, actor, clientId, ip, userAgent } = row;
  const self = actor.kind === 'account' && actor.id === own;
  const seen = self || actor.kind === 'stranger';
  const app = clientId === undefined ? undefined : (await clients.find(clientId))?.name;
  const device = userAgent === undefined ? undefined : deviceText(describeDevice(userAgent));
  return {
    id,
    at: isoOf(at),
    type,
    text: activityWords(row, app).text,
    outcome,
    by: actor.kind === 'account' ? (self ? 'you' : 'administrator') : actors[actor.kind],
    ...(app !== undefined && { app }),
    ...(seen && device !== undefined && { device }),
    ...(seen && ip !== undefined && { ip }),
  };
}

/** `GET me/activity`. */
export const activityOperations = (surface: MeSurface): readonly Operation[] => [
  operation({
    method: 'get',
    path: '/me/activity',
    id: 'listMyActivity',
    tag: 'Sessions and apps',
    summary: 'List your activity',
    description: 'What was done with the account, the newest first, each event exactly once.',
    access: person('account:security'),
    query: pageQuery,
    replies: {
      200: {
        description: 'A page of events.',
        body: pageOf(event),
        example: {
          items: [
            {
              id: 'evt_9q4x1b8n5v3c6z0w2p4r7k2m',
              at: '2026-11-21T09:40:00.000Z',
              type: 'sign_in.succeeded',
              text: 'Signed in for Fernhill Notes',
              outcome: 'success',
              by: 'you',
              app: 'Fernhill Notes',
              device: 'Firefox on Linux',
              ip: '203.0.113.20',
            },
          ],
          next_cursor: '1795254000000-evt_9q4x1b8n5v3c6z0w2p4r7k2m',
        },
      },
    },
    async handler({ caller, query: { limit, cursor } }) {
      const { id } = caller.account;
      const question = { types: activityTypes, before: cursor, limit: limit + 1 };
      const { shown: page, next } = cut(await surface.auditReader.listOf(id, question), limit, (row) => row);
      return { status: 200, body: { items: await Promise.all(page.map((row) => shown(surface, row, id))), ...next } };
    },
  }),
];
