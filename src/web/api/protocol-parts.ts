import type { MediaType, OperationObject, ParameterObject, ResponseObject } from './openapi-types.ts';

/** A field of a form or query: its name, what it is, and a value to show. */
export type Field = readonly [name: string, description: string, example?: string];

/** How a client proves itself, where it is not by the Authorization header. */
export const clientFields: readonly Field[] = [
  ['client_id', 'With `client_secret_post`, or for a client without a secret.'],
  ['client_secret', 'With `client_secret_post`.'],
  ['client_assertion_type', 'With `private_key_jwt`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.'],
  ['client_assertion', 'With `private_key_jwt`: a JWT of the client, used once (RFC 7523).'],
];

/** The parameters of an authorization request. */
export const requestFields: readonly Field[] = [
  ['client_id', 'The app.', 'app_4m7q2x9b1k5n8v3c6z0w'],
  [
    'response_type',
    '`code`. A client that an operator let have it may also ask for `id_token` or `code id_token`, which is what discovery calls the grant type `implicit`; never for an access token.',
    'code',
  ],
  ['redirect_uri', 'One of the registered ones, character by character.', 'https://app.example/callback'],
  ['scope', 'What the app asks for, separated by spaces.', 'openid profile'],
  [
    'code_challenge',
    'SHA-256 of the code verifier, base64url (RFC 7636).',
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  ],
  ['code_challenge_method', 'Always `S256`.', 'S256'],
  ['state', 'Comes back unchanged; binds the answer to the browser.', 'af0ifjsldkj'],
  ['nonce', 'Comes back in the ID token.', 'n-0S6_WzA2Mj'],
  ['resource', 'The API that the access token is for (RFC 8707).'],
  ['prompt', '`none`, `login`, `consent` or `select_account`.'],
  ['max_age', 'Seconds that the last sign-in may be old.'],
  ['acr_values', '`aal2` asks for a second factor.'],
  ['login_hint', 'A username or email address to fill in.'],
  ['claims', 'Single claims, as JSON (OpenID Connect Core §5.5).'],
];

/** Those that every authorization request needs. */
export const requestRequired = [
  'client_id',
  'response_type',
  'redirect_uri',
  'code_challenge',
  'code_challenge_method',
];

/** A form body. Its example has the fields that have a value to show. */
export function form(fields: readonly Field[], needed: readonly string[]): NonNullable<OperationObject['requestBody']> {
  const shown = Object.fromEntries(fields.flatMap(([name, , example]) => (example ? [[name, example]] : [])));
  const content: MediaType = {
    schema: {
      type: 'object',
      required: [...needed],
      properties: Object.fromEntries(fields.map(([name, description]) => [name, { type: 'string', description }])),
    },
    example: shown,
  };
  return { required: true, content: { 'application/x-www-form-urlencoded': content } };
}

/** The same fields as query parameters. */
export function query(fields: readonly Field[], needed: readonly string[]): ParameterObject[] {
  return fields.map(([name, description, example]) => ({
    name,
    in: 'query',
    required: needed.includes(name),
    description,
    schema: { type: 'string' },
    ...(example !== undefined && { example }),
  }));
}

/** A JSON answer with a schema of the document's components; `type` where it has a media type of its own. */
export const json = (
  description: string,
  schema: string,
  example: unknown,
  type = 'application/json',
): ResponseObject => ({
  description,
  content: { [type]: { schema: { $ref: `#/components/schemas/${schema}` }, example } },
});

/** A refusal in the words of OAuth. */
export const refused = (error: string, description: string): ResponseObject =>
  json(description, 'OAuthError', { error, error_description: 'what was wrong, for a developer' });

/** A redirect. */
export const redirect = (description: string): ResponseObject => ({
  description,
  headers: { Location: { description: 'Where to go on.', schema: { type: 'string' } } },
});

/** By client authentication, or none for clients without a secret. */
export const byClient: OperationObject['security'] = [{ clientSecret: [] }, {}];

/** The refusal of a client that did not prove itself. */
export const badClient = refused('invalid_client', 'The client is not who it says.');

/** What a client that asks about or ends a token may be told in the place of an answer. */
export const tokenRefusals: Readonly<Record<number, ResponseObject>> = {
  400: refused('invalid_request', 'The token is missing, or a parameter is given twice.'),
  401: badClient,
  429: refused('too_many_requests', 'Too many refused requests from this address. Wait for `Retry-After` seconds.'),
  503: refused('temporarily_unavailable', 'A store is away. Try again.'),
};

/** An operation written by hand. */
export const operation = (
  id: string,
  tag: string,
  summary: string,
  description: string,
  rest: Omit<OperationObject, 'operationId' | 'tags' | 'summary' | 'description'>,
): OperationObject => ({ operationId: id, tags: [tag], summary, description, ...rest });
