import { z } from 'zod';
import type { Client, MetadataInput } from '../../clients/index.ts';
import { AppError } from '../../shared/errors.ts';
import { defineCommand } from '../command.ts';
import { type Domains, operator } from '../domains.ts';
import { dated, facts, table } from '../render.ts';

const client = z.string().min(1).max(100).describe('Client id.');
const addresses = z.array(z.string().max(2000)).optional();

/** What `create` and `update` have in common. */
const settings = {
  redirectUri: addresses.describe('Where people come back to after signing in, compared character by character.'),
  postLogoutRedirectUri: addresses.describe('Where people may be sent after signing out.'),
  api: z
    .array(z.string().max(1000))
    .optional()
    .describe('API that it may ask for: identifier, or identifier:scope+scope for some of its scopes.'),
  authMethod: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional()
    .describe('How it proves itself at the token endpoint. Default: what its kind does.'),
  jwks: z.string().max(50_000).optional().describe('File with its public keys (JWKS), for private_key_jwt.'),
  jwksUri: z.string().max(2000).optional().describe('Where its public keys are, for private_key_jwt.'),
  backchannelLogoutUri: z
    .string()
    .max(2000)
    .optional()
    .describe('Where it is told, by a signed token, that a session of somebody has ended.'),
  backchannelLogoutSessionRequired: z.boolean().optional().describe('It goes by the sid of that token alone.'),
  scope: z.string().max(500).optional().describe('Identity scopes that it may ask for, in one text. Default: all.'),
  grantType: z.array(z.string().max(100)).optional().describe('Grants. Default: what its kind uses.'),
  idTokenAlg: z.enum(['ES256', 'RS256', 'EdDSA']).optional().describe('Algorithm of its ID tokens. Default: ES256.'),
  clientUri: z.string().max(2000).optional().describe('Its home page, for the consent page.'),
  logoUri: z.string().max(2000).optional().describe('Its logo, for the consent page.'),
  firstParty: z.boolean().optional().describe('Ours: people are not asked for consent.'),
  directSignIn: z
    .boolean()
    .optional()
    .describe('Let it take passwords itself and sign people in by JSON; first-party clients only.'),
  requirePkce: z.boolean().optional().describe('Default: yes. --no-require-pkce is for confidential clients only.'),
  requireSecondFactor: z.boolean().optional().describe('Sign in with a second factor always.'),
  strictRefresh: z.boolean().optional().describe('End a family of refresh tokens at any second use.'),
  mayIntrospect: z.boolean().optional().describe('Introspect tokens that are for others.'),
  sessionIdleSeconds: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Sign in anew after so long without use of the browser’s session, 300 or more. 0: as the installation.'),
  defaultMaxAge: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Seconds that a sign-in may be old, where a request says nothing (default_max_age).'),
};

type Settings = z.output<z.ZodObject<typeof settings>>;

/** What domains call these options, for their complaints. */
const fields = {
  redirect_uris: 'redirectUri',
  post_logout_redirect_uris: 'postLogoutRedirectUri',
  apis: 'api',
  token_endpoint_auth_method: 'authMethod',
  backchannel_logout_uri: 'backchannelLogoutUri',
  grant_types: 'grantType',
  id_token_signed_response_alg: 'idTokenAlg',
};

function refuse(option: string, message: string): never {
  throw new AppError('invalid_input', 'Some options cannot be accepted.', { fields: { [option]: message } });
}

/** Identifiers have colons too, so the whole text is an API first and something with scopes second. */
async function readApi({ apis }: Domains, text: string): Promise<[string, string[]]> {
  if (await apis.find(text)) return [text, []];
  // Scopes may have colons as well, so every one of them is tried, from the right.
  let at = text.lastIndexOf(':');
  let api = at < 0 ? undefined : await apis.find(text.slice(0, at));
  while (!api && at > 0) {
    at = text.lastIndexOf(':', at - 1);
    api = at < 0 ? undefined : await apis.find(text.slice(0, at));
  }
  if (!api) return refuse('api', `${text} is not a registered API. Register it first with \`sallyport apis create\`.`);
  const scopes = text.slice(at + 1).split('+');
  const unknown = scopes.find((scope) => !api.scopes.some(({ name }) => name === scope));
  if (unknown !== undefined) refuse('api', `${api.identifier} has no scope ${unknown}.`);
  return [api.identifier, scopes];
}

const readApis = async (domains: Domains, texts: readonly string[]): Promise<Record<string, string[]>> =>
  Object.fromEntries(await Promise.all(texts.map((text) => readApi(domains, text))));

function readJwks(text: string): NonNullable<MetadataInput['jwks']> {
  try {
    // The domain checks what is in it.
    return JSON.parse(text) as NonNullable<MetadataInput['jwks']>;
  } catch {
    return refuse('jwks', 'The file is not JSON.');
  }
}

const readMetadata = (input: Settings): MetadataInput => {
  const metadata: MetadataInput = {
    redirect_uris: input.redirectUri,
    post_logout_redirect_uris: input.postLogoutRedirectUri,
    token_endpoint_auth_method: input.authMethod,
    jwks: input.jwks === undefined ? undefined : readJwks(input.jwks),
    jwks_uri: input.jwksUri,
    backchannel_logout_uri: input.backchannelLogoutUri,
    backchannel_logout_session_required: input.backchannelLogoutSessionRequired,
    scope: input.scope,
    grant_types: input.grantType,
    id_token_signed_response_alg: input.idTokenAlg,
    client_uri: input.clientUri,
    logo_uri: input.logoUri,
    default_max_age: input.defaultMaxAge,
  };
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
};

const readSettings = async (input: Settings, domains: Domains) => ({
  apis: input.api && (await readApis(domains, input.api)),
  firstParty: input.firstParty,
  directSignIn: input.directSignIn,
  requirePkce: input.requirePkce,
  requireSecondFactor: input.requireSecondFactor,
  strictRefresh: input.strictRefresh,
  mayIntrospect: input.mayIntrospect,
  sessionIdleSeconds: input.sessionIdleSeconds,
  metadata: readMetadata(input),
});

async function getClient({ clients }: Domains, id: string): Promise<Client> {
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
    ['grants', metadata.grant_types.join(' ')],
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

const apisOf = (apis: Client['apis']): string =>
  Object.entries(apis)
    .map(([identifier, scopes]) => (scopes.length > 0 ? `${identifier} (${scopes.join(' ')})` : identifier))
    .join(', ');

const create = defineCommand({
  name: 'clients create',
  summary: 'Register an app. Its secret, if its kind has one, is printed once.',
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
  run: async ({ limit, after }, { clients }) =>
    (await clients.list({ limit, after: after as Client['id'] | undefined })).map(dated),
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
    const patch = { name, disabled, ...(await readSettings(input, domains)) };
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
