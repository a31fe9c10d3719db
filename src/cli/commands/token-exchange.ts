import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';
import { table } from '../render.ts';
import { getClient } from './clients.ts';

const client = z.string().min(1).max(100).describe('Client id.');
const api = z.string().min(1).max(512).describe('Identifier of the API that the new tokens are for.');

const allow = defineCommand({
  name: 'exchange allow',
  summary: 'Let a client exchange tokens that it was sent for tokens of another API (RFC 8693).',
  schema: z.object({
    client,
    api,
    scope: z.array(z.string().max(64)).describe('What the new tokens may do there, at most.'),
    impersonate: z
      .boolean()
      .optional()
      .describe('Leave out of the new tokens who acts. Each use is in the audit log and in the person’s activity.'),
  }),
  positional: 'client',
  fields: { clientId: 'client', target: 'api', scopes: 'scope' },
  example: 'sallyport exchange allow app_4m9c… --api https://billing.example/ --scope invoices:read',
  async run({ client: clientId, api: target, scope, impersonate }, { exchangeRights }) {
    const mode = impersonate === true ? 'impersonation' : 'delegation';
    await exchangeRights.allow({ clientId, target, mode, scopes: scope }, operator);
    return { clientId, target, mode, scopes: scope };
  },
  render: ({ clientId, target, mode, scopes }) =>
    `${clientId} may exchange tokens for ${target} (${scopes.join(' ')}), by ${mode}.`,
});

const list = defineCommand({
  name: 'exchange list',
  summary: 'List what a client may exchange tokens for.',
  schema: z.object({ client }),
  positional: 'client',
  example: 'sallyport exchange list app_4m9c…',
  run: async ({ client: clientId }, domains) => domains.exchangeRights.list((await getClient(domains, clientId)).id),
  render: (rights) =>
    table(
      ['API', 'scopes', 'how'],
      rights.map(({ target, scopes, mode }) => [target, scopes.join(' '), mode]),
      'This client may not exchange tokens.',
    ),
});

const remove = defineCommand({
  name: 'exchange remove',
  summary: 'Take that back. Tokens that it has go on until they expire, a few minutes.',
  schema: z.object({ client, api }),
  positional: 'client',
  example: 'sallyport exchange remove app_4m9c… --api https://billing.example/',
  async run({ client: clientId, api: target }, { exchangeRights }) {
    await exchangeRights.remove(clientId, target, operator);
    return { clientId, target, removed: true };
  },
  render: ({ clientId, target }) => `${clientId} may not exchange tokens for ${target} any more.`,
});

export const tokenExchangeCommands = [allow, list, remove];
