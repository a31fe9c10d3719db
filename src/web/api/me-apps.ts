import { z } from 'zod';
import type { Consent } from '../../consents/index.ts';
import { AppError } from '../../shared/errors.ts';
import { asClientId } from '../../shared/ids.ts';
import { actorOf, isoOf, type MeSurface } from './me-surface.ts';
import { type Operation, operation, person } from './operation.ts';
import { pageIn, pageOf, pageQuery } from './paging.ts';

const tag = 'Sessions and apps';
const names = z.array(z.string());

const app = z
  .object({
    client_id: z.string(),
    name: z.string().optional().meta({ description: 'Absent for an app that is not registered any more.' }),
    active: z.boolean().meta({ description: 'False when an administrator stopped or removed it.' }),
    scopes: names.meta({ description: 'What it may do with the account.' }),
    claims: names.meta({ description: 'Single facts that it may see beside its scopes.' }),
    apis: z
      .array(
        z.object({
          identifier: z.string(),
          name: z.string().optional(),
          scopes: names.meta({ description: 'None: it may show the API who the person is.' }),
        }),
      )
      .meta({ description: 'What it may do at APIs.' }),
    allowed_at: z.iso.datetime().meta({ description: 'When it was allowed for the first time.' }),
    last_used_at: z.iso.datetime().optional().meta({ description: 'Right to an hour; absent while it was not used.' }),
  })
  .meta({ id: 'ConnectedApp', description: 'An app that the person lets use the account.' });

const example: z.input<typeof app> = {
  client_id: 'app_4m7q2x9b1k5n8v3c6z0w',
  name: 'Fernhill Notes',
  active: true,
  scopes: ['email', 'openid', 'profile'],
  claims: [],
  apis: [{ identifier: 'https://notes.fernhill.example', name: 'Notes', scopes: ['notes:read'] }],
  allowed_at: '2026-09-14T10:02:44.000Z',
  last_used_at: '2026-11-21T09:00:00.000Z',
};

async function shown({ clients, apis }: MeSurface, consent: Consent): Promise<z.input<typeof app>> {
  const { clientId, scopes, claims, resources, grantedAt, lastUsedAt } = consent;
  const client = await clients.find(clientId);
  const found = Object.entries(resources).map(async ([identifier, granted]) => ({
    identifier,
    name: (await apis.find(identifier))?.name,
    scopes: [...granted],
  }));
  return {
    client_id: clientId,
    name: client?.name,
    active: client !== undefined && !client.disabled,
    scopes: [...scopes],
    claims: [...claims],
    apis: await Promise.all(found),
    allowed_at: isoOf(grantedAt),
    ...(lastUsedAt !== undefined && { last_used_at: isoOf(lastUsedAt) }),
  };
}

/** The apps that a person lets use their account. */
export const appOperations = (surface: MeSurface): readonly Operation[] => [
  operation({
    method: 'get',
    path: '/me/apps',
    id: 'listMyApps',
    tag,
    summary: 'List connected apps',
    description: 'Apps that you allowed something, the latest first. Apps of the house are not among them.',
    access: person('account:security'),
    query: pageQuery,
    replies: { 200: { description: 'A page of apps.', body: pageOf(app), example: { items: [example] } } },
    async handler({ caller, query }) {
      const all = await surface.connectedApps.list(caller.account.id);
      const { shown: page, next } = pageIn(all, query, ({ grantedAt, clientId }) => ({ at: grantedAt, id: clientId }));
      return { status: 200, body: { items: await Promise.all(page.map((one) => shown(surface, one))), ...next } };
    },
  }),
  operation({
    method: 'delete',
    path: '/me/apps/{clientId}',
    id: 'disconnectMyApp',
    tag,
    summary: 'Disconnect an app',
    description: 'Takes back everything that you allowed the app. Its tokens are worth nothing from now on.',
    access: person('account:security'),
    params: z.strictObject({ clientId: z.string().min(1).max(200).meta({ description: 'Which app.' }) }),
    refusals: { not_found: 'You allow this app nothing.' },
    replies: { 204: { description: 'It has no access any more.' } },
    async handler({ caller, params, meta }) {
      const id = asClientId(params.clientId);
      if (!(await surface.connectedApps.disconnect(caller.account.id, id, actorOf(caller), meta))) {
        throw new AppError('not_found', 'There is no such app. It may have been disconnected already.');
      }
      return { status: 204 };
    },
  }),
];
