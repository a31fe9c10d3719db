import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { keyClientId, type LiveApiKey, looksLikeKey } from '../api-keys/index.ts';
import type { Client } from '../clients/index.ts';
import { builtInClient } from './built-in-client.ts';
import type { OidcDomains } from './domains.ts';
import { mayIntrospect } from './introspection.ts';
import type { OidcSettings } from './settings.ts';
import { noteSource } from './token-claims.ts';
import { signedFor } from './token-exchange-issue.ts';
import { ancestor, keyAncestor, noteClaims } from './token-exchange-lineage.ts';

/** Stands for people's API keys where a client has to be named. It has no secret, no grant and no address. */
export const apiKeyClient = builtInClient({
  id: keyClientId,
  name: 'API keys',
  kind: 'machine',
  metadata: {
    redirect_uris: [],
    post_logout_redirect_uris: [],
    grant_types: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
    scope: '',
  },
});

/** A short token in the place of a key. */
export interface KeyToken {
  readonly value: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Makes tokens of keys. */
export interface KeyTokens {
  /** A JWT (RFC 9068) for the key's API with the key's scopes. It ends with the text that was shown, and with whoever is behind it. */
  issue(key: LiveApiKey): Promise<KeyToken>;
}

/** Builds the port. `current` is asked each time, because a key rotation replaces the provider. */
export const createKeyTokens = (current: () => Provider, settings: OidcSettings): KeyTokens => ({
  async issue({ key, api, scopes, account, clientId, mark, endsAt }) {
    const provider = current();
    const left = endsAt === undefined ? Infinity : Math.floor((endsAt - Date.now()) / 1000);
    const expiresIn = Math.max(1, Math.min(left, api.accessTokenSeconds ?? settings.accessTokenSeconds));
    const model = new provider.AccessToken({
      accountId: account?.id ?? clientId,
      client: { clientId },
      expiresIn,
      gty: 'api_key',
    } as never);
    model.resourceServer = signedFor(provider, settings, api, scopes);
    model.scope = scopes.join(' ');
    // Nobody signed in, so there is nothing to say of it.
    noteSource(model, {} as Parameters<typeof noteSource>[1]);
    const lineage = [keyAncestor(key.id, mark), ...(account ? [ancestor('account', account.id)] : [])];
    noteClaims(model, { lineage });
    return { value: await model.save(), expiresIn };
  },
});

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** What RFC 7662 says of this key to this client; inactive for whoever has no business with it. */
export async function introspectKey(
  { apiKeys }: Pick<OidcDomains, 'apiKeys'>,
  issuer: string,
  asker: Client,
  text: string,
): Promise<Record<string, unknown>> {
  const live = await apiKeys.verify(text);
  if (!live || !mayIntrospect(asker, { clientId: live.clientId, audience: live.key.audience }))
    return { active: false };
  const { key, scopes, account, clientId, endsAt } = live;
  return {
    active: true,
    sub: account?.id ?? clientId,
    client_id: clientId,
    iss: issuer,
    aud: key.audience,
    scope: scopes.join(' '),
    iat: seconds(key.issuedAt),
    ...(endsAt !== undefined && { exp: seconds(endsAt) }),
    token_type: 'Bearer',
    key_id: key.id,
  };
}

/** API keys at the introspection endpoint, which the library takes for tokens that it does not know. */
export const createKeyIntrospection = (domains: OidcDomains, issuer: string): Middleware =>
  async function keyIntrospection(koaCtx, next) {
    await next();
    const ctx = koaCtx as unknown as KoaContextWithOIDC;
    const token = ctx.oidc?.route === 'introspection' ? ctx.oidc.params?.token : undefined;
    const isUnknown = ctx.status === 200 && (ctx.body as { active?: unknown } | undefined)?.active === false;
    if (typeof token !== 'string' || !looksLikeKey(token) || !isUnknown) return;
    const asker = ctx.oidc.client && (await domains.clients.find(ctx.oidc.client.clientId));
    if (asker) ctx.body = await introspectKey(domains, issuer, asker, token);
  };
