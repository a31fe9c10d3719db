import type { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import type { Client, ClientKind, ClientMetadata, ClientPatch, MetadataInput, NewClient } from './client.ts';
import { jwksProblem } from './client-keys.ts';
import { identityScopes, kindRules, signInGrants, usesFrontChannel } from './client-kinds.ts';
import { clientPatchSchema, newClientSchema } from './metadata-schema.ts';
import { redirectUriProblem, webUriProblem } from './redirect-uri.ts';

/** What a client is made of before it is stored. */
export type ClientDraft = Pick<
  Client,
  | 'name'
  | 'kind'
  | 'metadata'
  | 'apis'
  | 'firstParty'
  | 'directSignIn'
  | 'requirePkce'
  | 'requireSecondFactor'
  | 'strictRefresh'
  | 'mayIntrospect'
  | 'sessionIdleSeconds'
>;

export interface ReadRules {
  /** Lets web and browser apps use plain http on this machine; for development. */
  readonly allowLoopbackHttp: boolean;
  /** The scopes of an API, or undefined when it is not registered. */
  readonly checkResource?: ((identifier: string) => Promise<KnownResource | undefined>) | undefined;
}

export interface KnownResource {
  readonly scopes: readonly { readonly name: string }[];
}

type Problems = Record<string, string>;

function refuse(fields: Problems): never {
  throw new AppError('invalid_input', 'Some client fields cannot be accepted.', { fields });
}

/** Names a field as people know it: metadata by its registered name alone. */
const fieldName = (path: readonly PropertyKey[]): string =>
  String((path[0] === 'metadata' ? path[1] : path[0]) ?? path[0] ?? 'client');

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields: Problems = {};
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) fields[key] = 'There is no such field.';
    else fields[fieldName(issue.path)] ??= issue.message;
  }
  return refuse(fields);
}

/** Fills in what the kind of client presets. */
function withPresets(kind: ClientKind, given: MetadataInput): ClientMetadata {
  const rules = kindRules[kind];
  const grants = given.grant_types ?? rules.grants;
  const scopes = identityScopes.filter((name) => name !== 'offline_access' || grants.includes('refresh_token'));
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
  return {
    redirect_uris: [],
    post_logout_redirect_uris: [],
    grant_types: [...grants],
    response_types: rules.signsIn && grants.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: rules.authMethods[0] ?? 'none',
    id_token_signed_response_alg: 'ES256',
    scope: rules.signsIn ? scopes.join(' ') : '',
    ...named,
  };
}

const isPublicHttps = (uri: string): boolean => {
  const url = URL.parse(uri);
  return url?.protocol === 'https:' && url.hostname !== 'localhost';
};

function uriProblems(kind: ClientKind, metadata: ClientMetadata, rules: ReadRules): Problems {
  const problems: Problems = {};
  for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    for (const uri of metadata[field]) {
      const problem = redirectUriProblem(uri, { kind, allowLoopbackHttp: rules.allowLoopbackHttp });
      if (problem !== undefined) problems[field] ??= `${uri.slice(0, 200)}: ${problem}`;
    }
    if (metadata[field].length > 0 && !kindRules[kind].signsIn) problems[field] = 'Nobody signs in with this client.';
  }
  // OpenID Connect Core §3.2.2.1: what comes through the browser goes to https and to no machine of its own.
  const open = usesFrontChannel(metadata.response_types) && metadata.redirect_uris.find((uri) => !isPublicHttps(uri));
  if (open)
    problems.redirect_uris ??= `${open.slice(0, 200)}: The response type id_token needs https and a public host.`;
  const pages = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'backchannel_logout_uri'] as const;
  for (const field of [...pages, 'initiate_login_uri'] as const) {
    const uri = metadata[field];
    const local = rules.allowLoopbackHttp && field !== 'initiate_login_uri';
    const problem = uri === undefined ? undefined : webUriProblem(uri, local);
    if (problem !== undefined) problems[field] = problem;
  }
  return problems;
}

function grantProblems(kind: ClientKind, metadata: ClientMetadata): Problems {
  const rules = kindRules[kind];
  const problems: Problems = {};
  const { grant_types: grants, response_types: responses, redirect_uris: redirects } = metadata;
  const grant = grants.find((name) => !rules.grants.includes(name) && !rules.otherGrants.includes(name));
  if (grant !== undefined) problems.grant_types = `A ${kind} client cannot use ${grant.slice(0, 100)}.`;
  else if (grants.includes('refresh_token') && !grants.some((name) => signInGrants.includes(name))) {
    problems.grant_types = 'refresh_token needs a grant in which a person signs in.';
  }
  const response = responses.find((name) => !rules.signsIn || !['code', ...rules.otherResponses].includes(name));
  if (response !== undefined) {
    problems.response_types = `${response.slice(0, 100)} is not available to a ${kind} client.${rules.signsIn ? ' Use code.' : ''}`;
  } else if (responses.some((name) => name.includes('code')) !== grants.includes('authorization_code')) {
    problems.response_types = 'The response type code and the grant authorization_code go together.';
  }
  // To the protocol library no scope means every scope.
  if (rules.signsIn && metadata.scope === '') problems.scope = 'Name at least openid.';
  if (responses.length > 0 && redirects.length === 0) problems.redirect_uris ??= 'Give at least one redirect URI.';
  return problems;
}

function authProblems(kind: ClientKind, metadata: ClientMetadata, requirePkce: boolean): Problems {
  const problems: Problems = {};
  const method = metadata.token_endpoint_auth_method;
  if (!kindRules[kind].authMethods.includes(method)) {
    problems.token_endpoint_auth_method = `A ${kind} client uses ${kindRules[kind].authMethods.join(' or ')}.`;
  }
  if (metadata.jwks && metadata.jwks_uri !== undefined) problems.jwks = 'Give jwks or jwks_uri, not both.';
  const keys = metadata.jwks && jwksProblem(metadata.jwks);
  if (keys !== undefined) problems.jwks ??= keys;
  if (method === 'private_key_jwt' && !metadata.jwks && metadata.jwks_uri === undefined) {
    problems.jwks = 'private_key_jwt needs jwks or jwks_uri.';
  }
  if (method === 'none' && !requirePkce) problems.requirePkce = 'A client without a secret always needs PKCE.';
  return problems;
}

/** Whoever types a password into an app trusts it as they trust us, so that app has to be ours. */
function directProblems({ kind, metadata, firstParty, directSignIn }: ClientDraft): Problems {
  if (!directSignIn) return {};
  if (!firstParty) return { directSignIn: 'Only a first-party client may sign people in by itself.' };
  if (kindRules[kind].signsIn && metadata.grant_types.includes('authorization_code')) return {};
  return { directSignIn: 'Only a client that people sign in with, by the grant authorization_code, can do that.' };
}

async function apiProblems(draft: ClientDraft, rules: ReadRules): Promise<Problems> {
  for (const [identifier, scopes] of Object.entries(draft.apis)) {
    if (draft.kind === 'machine' && scopes.length === 0) {
      return { apis: `Name the scopes of ${identifier} that this client may have.` };
    }
    const known = rules.checkResource && (await rules.checkResource(identifier));
    if (rules.checkResource && !known) return { apis: `${identifier} is not a registered API.` };
    const missing = known && scopes.find((scope) => !known.scopes.some(({ name }) => name === scope));
    if (missing !== undefined) return { apis: `${identifier} has no scope ${missing}.` };
  }
  return {};
}

const introspectionProblems = ({ mayIntrospect, metadata }: ClientDraft): Problems =>
  mayIntrospect && metadata.token_endpoint_auth_method === 'none'
    ? { mayIntrospect: 'Only a client that proves who it is may ask about the tokens of others.' }
    : {};

async function checked(draft: ClientDraft, rules: ReadRules): Promise<ClientDraft> {
  const problems = {
    ...(await apiProblems(draft, rules)),
    ...grantProblems(draft.kind, draft.metadata),
    ...uriProblems(draft.kind, draft.metadata, rules),
    ...authProblems(draft.kind, draft.metadata, draft.requirePkce),
    ...directProblems(draft),
    ...introspectionProblems(draft),
  };
  return Object.keys(problems).length > 0 ? refuse(problems) : draft;
}

/** Checks what `create` was given and fills in presets. @throws AppError `invalid_input` with a sentence per field. */
export async function readNewClient(given: NewClient, rules: ReadRules): Promise<ClientDraft & { id?: string }> {
  const input = parse(newClientSchema, given);
  const apis = input.apis ?? {};
  const draft: ClientDraft = {
    name: input.name,
    kind: input.kind,
    metadata: withPresets(input.kind, input.metadata ?? {}),
    apis,
    firstParty: input.firstParty ?? false,
    directSignIn: input.directSignIn ?? false,
    requirePkce: input.requirePkce ?? true,
    requireSecondFactor: input.requireSecondFactor ?? false,
    strictRefresh: input.strictRefresh ?? false,
    mayIntrospect: input.mayIntrospect ?? false,
    ...(input.sessionIdleSeconds && { sessionIdleSeconds: input.sessionIdleSeconds }),
  };
  const read = await checked(draft, rules);
  return input.id === undefined ? read : { ...read, id: input.id };
}

/** Applies a patch and checks the whole. @throws AppError `invalid_input` with a sentence per field. */
export async function readClientPatch(current: Client, given: ClientPatch, rules: ReadRules): Promise<Client> {
  const { metadata, name, disabled, ...settings } = parse(clientPatchSchema, given);
  const changes = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const next: Client = {
    ...current,
    ...changes,
    name: name ?? current.name,
    disabled: disabled ?? current.disabled,
    metadata: withPresets(current.kind, { ...current.metadata, ...metadata } as MetadataInput),
  };
  await checked(next, rules);
  return next;
}
