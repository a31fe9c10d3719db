import type { Context } from 'koa';
import type { Accounts } from '../../accounts/index.ts';
import { type LiveApiKey, looksLikeKey } from '../../api-keys/index.ts';
import type { AccessTokens, Caller } from '../../oidc/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { PersonCaller } from './operation.ts';
import { type ApiScopeName, apiIdentifier, resourceMetadataPath } from './resource.ts';

/** What a key opens now, counted as one use. @throws AppError `rate_limited`. */
export type KeyUse = (text: string) => Promise<LiveApiKey | undefined>;

export interface BearerNeeds {
  readonly issuer: string;
  readonly tokens: AccessTokens;
  readonly useKey: KeyUse;
  readonly accounts: Pick<Accounts, 'find'>;
}

const realm = 'sallyport';

/** The challenge of RFC 6750 §3, with the pointer of RFC 9728 §5.1. Everything in it is text of ours. */
export function challenge(
  ctx: Context,
  issuer: string,
  parameters: Readonly<Record<string, string | undefined>>,
): void {
  const parts = Object.entries({ realm, resource_metadata: `${issuer}${resourceMetadataPath}`, ...parameters }).flatMap(
    ([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]),
  );
  ctx.set('WWW-Authenticate', `Bearer ${parts.join(', ')}`);
}

/** The token of an Authorization header (RFC 6750 §2.1). No other way to send one is accepted. */
function readToken(ctx: Context): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(ctx.get('Authorization'))?.[1];
}

/** The API key of an Authorization header. */
export function presentedKey(ctx: Context): string | undefined {
  const token = readToken(ctx);
  return token !== undefined && looksLikeKey(token) ? token : undefined;
}

/** @throws AppError `unauthenticated`, with a challenge. */
export function refuseToken(ctx: Context, issuer: string, scope: string | undefined): never {
  if (!/^Bearer\b/i.test(ctx.get('Authorization'))) {
    challenge(ctx, issuer, { scope });
    throw new AppError('unauthenticated', 'Send an access token for this API as a Bearer token.');
  }
  challenge(ctx, issuer, {
    error: 'invalid_token',
    error_description: 'The access token is not good here, or not any more',
    scope,
  });
  throw new AppError('unauthenticated', 'The access token is not good here, or not any more. Get a new one.');
}

/** Whoever a token or key stands for. A key says nothing of a sign-in, so what wants a fresh one is not for keys. */
async function findCaller(
  { tokens, useKey }: Pick<BearerNeeds, 'tokens' | 'useKey'>,
  token: string,
  audience: string,
): Promise<Caller | undefined> {
  if (!looksLikeKey(token)) return tokens.verify(token, audience);
  const live = await useKey(token);
  if (live?.key.audience !== audience) return undefined;
  const { clientId, scopes, account } = live;
  return { clientId, scopes: new Set(scopes), ...(account && { accountId: account.id }) };
}

/** The caller behind the token of the request. @throws AppError `unauthenticated` or `forbidden`, with a challenge. */
export async function authenticateApp(
  { issuer, tokens, useKey, accounts }: BearerNeeds,
  ctx: Context,
  scope: ApiScopeName | undefined,
): Promise<PersonCaller> {
  const token = readToken(ctx);
  const caller = token === undefined ? undefined : await findCaller({ tokens, useKey }, token, apiIdentifier(issuer));
  if (!caller) return refuseToken(ctx, issuer, scope);
  if (scope !== undefined && !caller.scopes.has(scope)) {
    challenge(ctx, issuer, { error: 'insufficient_scope', error_description: `This needs the scope ${scope}`, scope });
    throw new AppError('forbidden', `The access token lacks the scope ${scope}.`);
  }
  const { accountId, clientId, grantId, acr, authTime } = caller;
  const account = accountId && (await accounts.find(accountId));
  if (!account) throw new AppError('forbidden', 'This is about a person, and the access token stands for an app.');
  return {
    account,
    by: { kind: 'app', clientId, ...(grantId !== undefined && { grantId }) },
    ...(acr !== undefined && { acr }),
    ...(authTime !== undefined && { authTime }),
  };
}
