import { errors } from 'oidc-provider';

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** What the endpoint reads of a request. */
export const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
] as const;

export type ExchangeParams = Readonly<Partial<Record<(typeof exchangeParameters)[number], string | string[]>>>;

/** A request for another token (RFC 8693 §2.1). */
export interface ExchangeRequest {
  readonly subject: string;
  readonly actor: string | undefined;
  readonly target: string;
  readonly scopes: readonly string[] | undefined;
}

/** Longer than any token of ours. */
const longest = 8000;

function one(params: ExchangeParams, name: keyof ExchangeParams): string | undefined {
  const value = params[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new errors.InvalidRequest(`'${name}' is there twice`);
  if (value.length > longest) throw new errors.InvalidRequest(`'${name}' is too long`);
  return value;
}

function token(params: ExchangeParams, name: 'subject_token' | 'actor_token'): string | undefined {
  const [value, type] = [one(params, name), one(params, `${name}_type`)];
  if (value === undefined && type === undefined) return undefined;
  if (value === undefined) throw new errors.InvalidRequest(`missing required parameter '${name}'`);
  if (type === undefined) throw new errors.InvalidRequest(`missing required parameter '${name}_type'`);
  if (type !== accessTokenType) throw new errors.InvalidRequest(`'${name}_type' must be ${accessTokenType}`);
  return value;
}

/** The one API that is meant, by `resource` or `audience`: here both are identifiers of APIs. */
function targetOf({ resource, audience }: ExchangeParams): string {
  const named = new Set([resource, audience].flat().filter((value) => value !== undefined && value !== ''));
  if (named.size === 0) throw new errors.InvalidRequest("missing required parameter 'resource'");
  const [target] = named;
  if (named.size > 1 || target === undefined) throw new errors.InvalidTarget('name exactly one API');
  return target;
}

/** Reads the parameters. @throws InvalidRequest, InvalidTarget. */
export function readExchange(params: ExchangeParams): ExchangeRequest {
  const subject = token(params, 'subject_token');
  if (subject === undefined) throw new errors.InvalidRequest("missing required parameter 'subject_token'");
  const actor = token(params, 'actor_token');
  const wanted = one(params, 'requested_token_type');
  if (wanted !== undefined && wanted !== accessTokenType) {
    throw new errors.InvalidRequest(`'requested_token_type' can only be ${accessTokenType}`);
  }
  const scopes = one(params, 'scope')
    ?.split(' ')
    .filter((scope) => scope !== '');
  return { subject, actor, target: targetOf(params), scopes };
}
