import { z } from 'zod';
import type { Api } from '../../apis/index.ts';
import { AppError } from '../../shared/errors.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';
import { dated, facts, table } from '../render.ts';

const identifier = z.string().min(1).max(512).describe('Absolute URI; it is `aud` in its tokens.');

/** `read=Read orders` is a scope and its description; without one, the description is the name. */
function parseScope(text: string): { name: string; description: string } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text, description: text } : { name: text.slice(0, at), description: text.slice(at + 1) };
}

const describeApi = (api: ReturnType<typeof dated<Api>>): string =>
  [
    facts([
      ['identifier', api.identifier],
      ['name', api.name],
      ['tokens', api.tokenFormat === 'jwt' ? `jwt, ${api.signingAlg}` : 'opaque'],
      ['token life', api.accessTokenSeconds === undefined ? undefined : `${api.accessTokenSeconds} s`],
      ['second factor', api.requireSecondFactor ? 'required' : undefined],
      ['status list', api.statusList ? 'yes' : undefined],
      ['created', api.createdAt],
    ]),
    ...api.scopes.map(({ name, description }) => `  ${name}: ${description}`),
  ].join('\n');

const create = defineCommand({
  name: 'apis create',
  summary: 'Register an API that tokens can be issued for.',
  makesDatabase: true,
  schema: z.object({
    identifier,
    name: z.string().max(100).describe('Name for the consent page.'),
    scope: z.array(z.string().max(300)).default([]).describe('name=description, once for each scope.'),
    tokenFormat: z.enum(['jwt', 'opaque']).optional().describe('jwt (default), or opaque to be introspected.'),
    accessTokenSeconds: z.coerce
      .number()
      .int()
      .optional()
      .describe("Life of its access tokens. Default: the server's."),
    signingAlg: z.enum(['ES256', 'RS256', 'EdDSA']).optional().describe('Algorithm of its tokens. Default: ES256.'),
    requireSecondFactor: z.boolean().optional().describe('Issue tokens only after a second factor.'),
    statusList: z
      .boolean()
      .optional()
      .describe('Give its JWTs a place in a status list, so that services that verify offline learn of revocations.'),
  }),
  positional: 'identifier',
  fields: { scopes: 'scope' },
  example: 'sallyport apis create https://orders.example.com --name Orders --scope "orders:read=Read your orders"',
  run: async ({ scope, ...input }, { apis }) =>
    dated(await apis.create({ ...input, scopes: scope.map(parseScope) }, operator)),
  render: describeApi,
});

const list = defineCommand({
  name: 'apis list',
  summary: 'List the registered APIs.',
  schema: z.object({}),
  run: async (_, { apis }) => (await apis.list()).map(dated),
  render: (all) =>
    table(
      ['identifier', 'name', 'tokens', 'scopes'],
      all.map((api) => [api.identifier, api.name, api.tokenFormat, api.scopes.map(({ name }) => name).join(' ')]),
      'No API is registered.',
    ),
});

const show = defineCommand({
  name: 'apis show',
  summary: 'Show an API and its scopes.',
  schema: z.object({ identifier }),
  positional: 'identifier',
  async run(input, { apis }) {
    const api = await apis.find(input.identifier);
    if (!api) throw new AppError('not_found', `No API ${input.identifier} is registered.`);
    return dated(api);
  },
  render: describeApi,
});

const remove = defineCommand({
  name: 'apis remove',
  summary: 'Remove an API. No more tokens are issued for it.',
  schema: z.object({ identifier }),
  positional: 'identifier',
  async run(input, { apis }) {
    await apis.remove(input.identifier, operator);
    return { identifier: input.identifier };
  },
  render: (removed) => `${removed.identifier} is removed.`,
});

export const apiCommands = [create, list, show, remove];
