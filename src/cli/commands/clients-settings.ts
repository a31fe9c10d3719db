import { z } from 'zod';
import { type MetadataInput, responseTypes } from '../../clients/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { Domains } from '../domains.ts';

const addresses = z.array(z.string().max(2000)).optional();

/** What `clients create` and `clients update` have in common. */
export const settings = {
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
  responseType: z
    .array(z.enum(responseTypes))
    .optional()
    .describe(
      'What comes back from the sign-in page; an ID token only to web apps that know nothing newer. Default: code.',
    ),
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
export const fields = {
  redirect_uris: 'redirectUri',
  post_logout_redirect_uris: 'postLogoutRedirectUri',
  apis: 'api',
  token_endpoint_auth_method: 'authMethod',
  backchannel_logout_uri: 'backchannelLogoutUri',
  grant_types: 'grantType',
  response_types: 'responseType',
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

const codeGrants = ['authorization_code', 'refresh_token'];

/** The grants that go with the response types, where none are named: those of a code come and go with it. */
function grantsFor({ responseType, grantType }: Settings, current?: readonly string[]): readonly string[] | undefined {
  if (grantType !== undefined || responseType === undefined) return grantType;
  const usesCode = responseType.some((type) => type.split(' ').includes('code'));
  if (current === undefined) return usesCode ? undefined : [];
  if (usesCode === current.includes('authorization_code')) return undefined;
  return [...(usesCode ? codeGrants : []), ...current.filter((grant) => !codeGrants.includes(grant))];
}

const readMetadata = (input: Settings, currentGrants?: readonly string[]): MetadataInput => {
  const metadata: MetadataInput = {
    redirect_uris: input.redirectUri,
    post_logout_redirect_uris: input.postLogoutRedirectUri,
    token_endpoint_auth_method: input.authMethod,
    jwks: input.jwks === undefined ? undefined : readJwks(input.jwks),
    jwks_uri: input.jwksUri,
    backchannel_logout_uri: input.backchannelLogoutUri,
    backchannel_logout_session_required: input.backchannelLogoutSessionRequired,
    scope: input.scope,
    grant_types: grantsFor(input, currentGrants),
    response_types: input.responseType,
    id_token_signed_response_alg: input.idTokenAlg,
    client_uri: input.clientUri,
    logo_uri: input.logoUri,
    default_max_age: input.defaultMaxAge,
  };
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
};

/**
 * The options as the domain takes them. `currentGrants` are those of a client that is there.
 * @throws AppError `invalid_input` naming the option.
 */
export const readSettings = async (input: Settings, domains: Domains, currentGrants?: readonly string[]) => ({
  apis: input.api && (await readApis(domains, input.api)),
  firstParty: input.firstParty,
  directSignIn: input.directSignIn,
  requirePkce: input.requirePkce,
  requireSecondFactor: input.requireSecondFactor,
  strictRefresh: input.strictRefresh,
  mayIntrospect: input.mayIntrospect,
  sessionIdleSeconds: input.sessionIdleSeconds,
  metadata: readMetadata(input, currentGrants),
});
