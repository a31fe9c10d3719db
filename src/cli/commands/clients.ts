import { z } from 'zod';
import type { Client } from '../../clients/index.ts';
import { AppError } from '../../shared/errors.ts';
import { asClientId } from '../../shared/ids.ts';
import { defineCommand, wrongCursor } from '../command.ts';
import { type Domains, operator } from '../domains.ts';
import { dated, facts, table } from '../render.ts';
import { fields, readSettings, settings } from './clients-settings.ts';

const client = z.string().min(1).max(100).describe('Client id.');

/** Finds what a command is about. @throws AppError `not_found`. */
export async function getClient({ clients }: Pick<Domains, 'clients'>, id: string): Promise<Client> {
  const found = await clients.find(id);
  if (found) return found;
  throw new AppError('not_found', `There is no client ${id}.`);
}

const describeClient = ({ metadata, ...entry }: ReturnType<typeof dated<Client>>): string =>
  facts([
    ['id', entry.id],
    ['name', entry.name],
    ['kind', `${entry.kind}${entry.disabled ? ' (disabled)' : ''}`],
    ['authentication', metadata.token_endpoint_auth_method],
    ['grants', grantsOf(metadata).join(' ')],
    // One of them has a space in its name.
    ['response types', metadata.response_types.join(', ')],
    ['redirect URIs', metadata.redirect_uris.join(' ')],
    ['after sign-out', metadata.post_logout_redirect_uris.join(' ')],
    ['scope', metadata.scope],
    ['APIs', apisOf(entry.apis)],
    ['first party', entry.firstParty],
    ['direct sign-in', entry.directSignIn ? true : undefined],
    ['second factor', entry.requireSecondFactor ? 'required' : undefined],
    ['PKCE', entry.requirePkce ? undefined : 'not required'],
    ['strict refresh', entry.strictRefresh ? true : undefined],
    ['idle limit', entry.sessionIdleSeconds ? `${entry.sessionIdleSeconds} s` : undefined],
    ['sign-in at most', metadata.default_max_age === undefined ? undefined : `${metadata.default_max_age} s old`],
    ['may introspect', entry.mayIntrospect ? 'any token' : undefined],
    ['created', entry.createdAt],
  ]);

/** The server adds the grant of an ID token that comes through the browser by itself. */
const grantsOf = ({ grant_types, response_types }: Client['metadata']): readonly string[] =>
  response_types.some((type) => type.includes('id_token')) ? [...grant_types, 'implicit'] : grant_types;

const apisOf = (apis: Client['apis']): string =>
  Object.entries(apis)
    .map(([identifier, scopes]) => (scopes.length > 0 ? `${identifier} (${scopes.join(' ')})` : identifier))
    .join(', ');

const create = defineCommand({
  name: 'clients create',
  summary: 'Register an app. Its secret, if its kind has one, is printed once.',
  makesDatabase: true,
  schema: z.object({
    name: z.string().max(100).describe('Name for the consent page.'),
    kind: z.enum(['web', 'spa', 'native', 'machine', 'service']).describe('What it runs as.'),
    id: z.string().max(64).optional().describe('Client id. Default: a random one.'),
    ...settings,
  }),
  files: ['jwks'],
  fields,
  example: 'sallyport clients create --name "My app" --kind web --redirect-uri https://app.example.com/callback',
  async run({ name, kind, id, ...input }, domains) {
    const made = await domains.clients.create({ name, kind, id, ...(await readSettings(input, domains)) }, operator);
    return { ...dated(made.client), ...(made.secret !== undefined && { secret: made.secret }) };
  },
  render: ({ secret, ...made }) =>
    `${describeClient(made)}${secret === undefined ? '' : `\n\nSecret, shown only now: ${secret}`}`,
});

const list = defineCommand({
  name: 'clients list',
  summary: 'List the registered apps, newest first.',
  schema: z.object({
    limit: z.coerce.number().int().min(1).max(100).default(100).describe('How many, 100 at most. Default: 100.'),
    after: z.string().max(100).optional().describe('Id of the last client of the page before.'),
  }),
  async run({ limit, after }, { clients }) {
    if (after !== undefined && !(await clients.find(after))) wrongCursor(`There is no client ${after}.`);
    return (await clients.list({ limit, after: after === undefined ? undefined : asClientId(after) })).map(dated);
  },
  render: (all) =>
    table(
      ['id', 'name', 'kind', 'authentication', 'state', 'created'],
      all.map(({ id, name, kind, metadata, disabled, createdAt }) => [
        id,
        name,
        kind,
        metadata.token_endpoint_auth_method,
        disabled ? 'disabled' : 'active',
        createdAt,
      ]),
      'No app is registered.',
    ),
});

const show = defineCommand({
  name: 'clients show',
  summary: 'Show an app and what it may do.',
  schema: z.object({ client }),
  positional: 'client',
  run: async (input, domains) => dated(await getClient(domains, input.client)),
  render: describeClient,
});

const update = defineCommand({
  name: 'clients update',
  summary: 'Change what is named; a list that is given replaces the one before.',
  schema: z.object({
    client,
    name: z.string().max(100).optional().describe('Name for the consent page.'),
    disabled: z.boolean().optional().describe('Refuse it everywhere; --no-disabled lets it in again.'),
    ...settings,
  }),
  positional: 'client',
  files: ['jwks'],
  fields,
  example: 'sallyport clients update app_… --redirect-uri https://app.example.com/callback',
  async run({ client: id, name, disabled, ...input }, domains) {
    if ([name, disabled, ...Object.values(input)].every((value) => value === undefined)) {
      throw new AppError('invalid_input', 'Name at least one thing to change.');
    }
    const current = await getClient(domains, id);
    const patch = { name, disabled, ...(await readSettings(input, domains, current.metadata.grant_types)) };
    const named = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    return dated(await domains.clients.update(current.id, current.version, named, operator));
  },
  render: describeClient,
});

const rotateSecret = defineCommand({
  name: 'clients rotate-secret',
  summary: 'Make a new secret, printed once. The one before can go on working for a while.',
  schema: z.object({
    client,
    overlap: z.coerce
      .number()
      .int()
      .min(0)
      .max(90 * 86_400)
      .default(86_400)
      .describe('Seconds that older secrets still work. Default: a day (86400). 0 ends them at once.'),
  }),
  positional: 'client',
  async run({ client: id, overlap }, domains) {
    const { id: found } = await getClient(domains, id);
    const secret = await domains.clients.rotateSecret(found, { overlapSeconds: overlap }, operator);
    return { id: found, secret, overlapSeconds: overlap };
  },
  render: ({ secret, overlapSeconds }) =>
    `Secret, shown only now: ${secret}\nOlder secrets ${overlapSeconds > 0 ? `work for ${overlapSeconds} s more` : 'no longer work'}.`,
});

const remove = defineCommand({
  name: 'clients remove',
  summary: 'Remove an app for good. `clients update --disabled` can be taken back.',
  schema: z.object({ client }),
  positional: 'client',
  async run(input, domains) {
    const { id } = await getClient(domains, input.client);
    await domains.clients.remove(id, operator);
    return { id };
  },
  render: ({ id }) => `${id} is removed.`,
});

export const clientCommands = [create, list, show, update, rotateSecret, remove];
