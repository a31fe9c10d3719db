import { z } from 'zod';
import { identityScopes } from './client-kinds.ts';

const uris = z
  .array(z.string())
  .max(50, 'Register 50 addresses at most.')
  .transform((list) => [...new Set(list)]);
const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'Give a value.')
    .max(max, `Keep it to ${max} characters.`)
    .refine((value) => !/\p{C}/u.test(value), 'It has characters that cannot be shown.');
const words = z
  .array(z.string().min(1).max(100))
  .max(20)
  .transform((list) => [...new Set(list)]);

const scope = z
  .string()
  .max(500)
  .transform((value) => [...new Set(value.split(' ').filter((name) => name !== ''))].join(' '))
  .refine(
    (value) => value === '' || value.split(' ').every((name) => identityScopes.includes(name)),
    `It may contain ${identityScopes.join(', ')}. Scopes of APIs are granted with the API.`,
  );

const contact = z
  .string()
  .max(254)
  .regex(/^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*$/, 'Give mail addresses.');

/** The metadata that we keep, by type and length only; what fits together is for `readClient`. */
export const metadataSchema = z.strictObject({
  redirect_uris: uris.optional(),
  post_logout_redirect_uris: uris.optional(),
  grant_types: words.optional(),
  response_types: words.optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional(),
  id_token_signed_response_alg: z.enum(['ES256', 'RS256', 'EdDSA']).optional(),
  scope: scope.optional(),
  client_uri: z.string().optional(),
  logo_uri: z.string().optional(),
  policy_uri: z.string().optional(),
  tos_uri: z.string().optional(),
  initiate_login_uri: z.string().optional(),
  contacts: z.array(contact).max(10).optional(),
  jwks: z.strictObject({ keys: z.array(z.looseObject({ kty: z.string() })) }).optional(),
  jwks_uri: z.string().optional(),
  backchannel_logout_uri: z.string().optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  default_max_age: z.int().min(0).max(31_536_000).optional(),
  require_auth_time: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
});

const apis = z
  .record(z.string().min(1).max(512), z.array(z.string().min(1).max(64)).max(200))
  .refine((value) => Object.keys(value).length <= 50, 'A client may ask for 50 APIs at most.');

const settings = {
  apis: apis.optional(),
  firstParty: z.boolean().optional(),
  directSignIn: z.boolean().optional(),
  requirePkce: z.boolean().optional(),
  requireSecondFactor: z.boolean().optional(),
  strictRefresh: z.boolean().optional(),
  mayIntrospect: z.boolean().optional(),
  sessionIdleSeconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .refine((seconds) => seconds === 0 || seconds >= 300, 'Give 0, or 300 seconds or more.')
    .optional(),
};

/** The shape of what `create` takes. */
export const newClientSchema = z.strictObject({
  ...settings,
  id: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9._-]{1,62})[a-z0-9]$/, 'Give 3 to 64 of a–z, 0–9, dot, dash and underscore.')
    .refine((id) => !id.startsWith('acc_'), 'Ids that start with acc_ belong to accounts.')
    .optional(),
  name: text(100),
  kind: z.enum(['web', 'spa', 'native', 'machine', 'service']),
  metadata: metadataSchema.optional(),
});

const nullable = Object.fromEntries(
  Object.entries(metadataSchema.shape).map(([name, schema]) => [name, schema.nullable()]),
);

/** The shape of what `update` takes. */
export const clientPatchSchema = z.strictObject({
  ...settings,
  name: text(100).optional(),
  disabled: z.boolean().optional(),
  metadata: z.strictObject(nullable).optional(),
});
