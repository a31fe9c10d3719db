import { type AccessToken, errors, type Provider } from 'oidc-provider';
import type { Api } from '../apis/index.ts';
import type { Client } from '../clients/index.ts';
import type { DpopProof } from './provider-internals.ts';
import type { OidcSettings } from './settings.ts';
import { noteSource } from './token-claims.ts';
import { noteClaims } from './token-exchange-lineage.ts';
import type { ActClaim, ExchangeActor } from './token-exchange-policy.ts';
import type { ExchangeRight } from './token-exchange-rights.ts';
import type { FindNeeds, PresentedToken } from './token-exchange-subject.ts';

export interface ExchangeNeeds extends FindNeeds {
  readonly settings: OidcSettings;
}

/** Everything that a new token is made from. */
export interface Exchange {
  readonly client: Client;
  readonly subject: PresentedToken;
  readonly actor: ExchangeActor;
  readonly right: ExchangeRight;
  readonly api: Api;
  readonly scopes: readonly string[];
  /** Undefined for an impersonation. */
  readonly act: ActClaim | undefined;
  readonly proof: DpopProof | undefined;
}

/**
 * An API as the library takes it. What is made from something else is always a signed token, also for an API that asks
 * for opaque ones: only there is a place for what it was made from, and it can be introspected all the same.
 */
export function signedFor(
  provider: Provider,
  settings: OidcSettings,
  api: Api,
  scopes: readonly string[],
): InstanceType<Provider['ResourceServer']> {
  return new provider.ResourceServer(api.identifier, {
    audience: api.identifier,
    scope: scopes.join(' '),
    accessTokenTTL: api.accessTokenSeconds ?? settings.accessTokenSeconds,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: api.signingAlg } },
  });
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Seconds that the new token lives: not a moment longer than the old one. */
function lifeOf({ subject, api }: Exchange, settings: OidcSettings): number {
  // One second less, because the clock may turn over until the token is signed.
  const left = subject.exp - Math.floor(Date.now() / 1000) - 1;
  if (left < 1) throw new errors.InvalidRequest("'subject_token' is about to expire");
  return Math.min(left, api.accessTokenSeconds ?? settings.accessTokenSeconds);
}

/** Makes the token by the library's own model. It stands in the subject's grant and ends with it. */
export async function issueExchanged(
  { provider, settings }: ExchangeNeeds,
  exchange: Exchange,
): Promise<{ readonly model: AccessToken; readonly value: string }> {
  const { client, subject, api, scopes, act, proof } = exchange;
  const { claims, grantId, lineage } = subject;
  const model = new provider.AccessToken({
    accountId: subject.sub,
    client: { clientId: client.id },
    expiresIn: lifeOf(exchange, settings),
    gty: 'token_exchange',
    ...(grantId !== undefined && { grantId }),
  } as never);
  model.resourceServer = signedFor(provider, settings, api, scopes);
  model.scope = scopes.join(' ');
  if (proof) model.setThumbprint('jkt', proof.thumbprint);
  noteSource(model, {
    acr: textOf(claims.acr),
    amr: Array.isArray(claims.amr) ? claims.amr : undefined,
    authTime: typeof claims.auth_time === 'number' ? claims.auth_time : undefined,
  } as Parameters<typeof noteSource>[1]);
  noteClaims(model, { lineage, ...(act && { act }) });
  return { model, value: await model.save() };
}
