import type { Account } from '../accounts/index.ts';
import type { Api } from '../apis/index.ts';
import type { Client } from '../clients/index.ts';
import { type AccountId, asClientId, type ClientId } from '../shared/ids.ts';

/** Whose key it is: a person's, or a service's. */
export type KeyOwner =
  | { readonly kind: 'account'; readonly id: AccountId }
  | { readonly kind: 'client'; readonly id: ClientId };

/** A key as it may be shown. Moments are milliseconds since the epoch. */
export interface ApiKey {
  readonly id: string;
  readonly owner: KeyOwner;
  readonly name: string;
  /** Identifier of the one API that it is good for. */
  readonly audience: string;
  readonly scopes: readonly string[];
  /** Uses in a minute; undefined: any number. */
  readonly rateLimit?: number;
  readonly createdAt: number;
  /** When its present secret was made. */
  readonly issuedAt: number;
  /** Undefined: never. */
  readonly expiresAt?: number;
  /** Until when the secret before a rotation works as well. */
  readonly previousUntil?: number;
  /** Right to a minute. */
  readonly lastUsedAt?: number;
  readonly revokedAt?: number;
}

/** What `create` takes. */
export interface NewApiKey {
  readonly owner: KeyOwner;
  readonly name: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  /** Whole days; `null` is for ever, which only an operator may give. Default 90. */
  readonly expiresInDays?: number | null | undefined;
  /** Uses in a minute. Default: any number. */
  readonly rateLimit?: number | undefined;
}

/** A key that was shown and is good now, with whoever stands behind it. */
export interface LiveApiKey {
  readonly key: ApiKey;
  /** Those of its scopes that its API still has and its owner may still have. */
  readonly scopes: readonly string[];
  readonly api: Api;
  /** The person, for a person's key. */
  readonly account?: Account;
  /** Whom its tokens name as client: the service, or {@link keyClientId} for a person's key. */
  readonly clientId: ClientId;
  /** Names the text that was shown, among those of its key: for what is made from it, which ends when that text does. */
  readonly mark: string;
  /** When that text ends: with the key, or with the time that it works beside a new one. Undefined: never. */
  readonly endsAt?: number;
}

/** Stands as client in what is done with people's keys. It is built in and has no secret. */
export const keyClientId: ClientId = asClientId('sallyport-api-keys');

/** Whether a key can be used at that moment, whoever its owner is. */
export const isUsable = ({ expiresAt, revokedAt }: ApiKey, now: number): boolean =>
  revokedAt === undefined && (expiresAt === undefined || expiresAt > now);

/** The scopes that are left of what a key was given: its API or its service may have fewer by now. */
export function effectiveScopes(key: ApiKey, api: Api, client: Client | undefined): string[] {
  const offered = new Set(api.scopes.map(({ name }) => name));
  const granted = client && (Object.hasOwn(client.apis, api.identifier) ? client.apis[api.identifier] : undefined);
  if (client && !granted) return [];
  const mayHave = (scope: string): boolean => !granted || granted.length === 0 || granted.includes(scope);
  return key.scopes.filter((scope) => offered.has(scope) && mayHave(scope));
}

/** What a new secret's life is when nobody says: as long as that of the one before. */
export const lifeOf = ({ issuedAt, expiresAt }: ApiKey): number | undefined =>
  expiresAt === undefined ? undefined : expiresAt - issuedAt;
