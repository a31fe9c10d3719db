import type { ClientId } from '../shared/ids.ts';

/**
 * `web` keeps a secret on a server, `spa` runs in a browser, `native` on a device, `machine` acts for itself, and
 * `service` only asks whether tokens that it was shown are good.
 */
export type ClientKind = 'web' | 'spa' | 'native' | 'machine' | 'service';

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';

/** A public JSON Web Key (RFC 7517). */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kty: string };

/** Client metadata by its registered names (RFC 7591 §2, OpenID Connect Registration §2). */
export type ClientMetadata = {
  readonly redirect_uris: readonly string[];
  readonly post_logout_redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  readonly token_endpoint_auth_method: ClientAuthMethod;
  readonly id_token_signed_response_alg: 'ES256' | 'RS256' | 'EdDSA';
  /** The identity scopes that it may ask for, separated by spaces. Scopes of APIs are in `Client.apis`. */
  readonly scope: string;
  readonly client_uri?: string | undefined;
  readonly logo_uri?: string | undefined;
  readonly policy_uri?: string | undefined;
  readonly tos_uri?: string | undefined;
  readonly initiate_login_uri?: string | undefined;
  readonly contacts?: readonly string[] | undefined;
  readonly jwks?: { readonly keys: readonly PublicJwk[] } | undefined;
  readonly jwks_uri?: string | undefined;
  readonly backchannel_logout_uri?: string | undefined;
  readonly backchannel_logout_session_required?: boolean | undefined;
  /** Seconds. */
  readonly default_max_age?: number | undefined;
  readonly require_auth_time?: boolean | undefined;
  readonly require_pushed_authorization_requests?: boolean | undefined;
};

/** An app that may ask for tokens. */
export interface Client {
  readonly id: ClientId;
  readonly name: string;
  readonly kind: ClientKind;
  readonly metadata: ClientMetadata;
  /** The APIs that it may ask for by identifier, and which of their scopes; an empty list means all of them. */
  readonly apis: Readonly<Record<string, readonly string[]>>;
  /** Ours: people are not asked for consent. */
  readonly firstParty: boolean;
  /** May take names and passwords itself and sign people in by JSON; for apps of the house only. */
  readonly directSignIn: boolean;
  /** Public clients always need PKCE; only a confidential one may be let off. */
  readonly requirePkce: boolean;
  readonly requireSecondFactor: boolean;
  /** A refresh token that is used twice ends its family, even when the first answer may have got lost. */
  readonly strictRefresh: boolean;
  /** May introspect tokens that were not issued to it or for it. */
  readonly mayIntrospect: boolean;
  /**
   * Seconds after which a browser that was used for nothing has to sign in anew for this app; 0 or left out: what the
   * installation says. How old a sign-in may be at all is `default_max_age`.
   */
  readonly sessionIdleSeconds?: number | undefined;
  readonly disabled: boolean;
  /** Milliseconds since the epoch, as `updatedAt`. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** Metadata as it comes from outside: what is left out takes the preset of the kind. */
export type MetadataInput = { readonly [Key in keyof ClientMetadata]?: ClientMetadata[Key] | undefined };

interface ClientSettings {
  readonly apis?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly firstParty?: boolean | undefined;
  readonly directSignIn?: boolean | undefined;
  readonly requirePkce?: boolean | undefined;
  readonly requireSecondFactor?: boolean | undefined;
  readonly strictRefresh?: boolean | undefined;
  readonly mayIntrospect?: boolean | undefined;
  readonly sessionIdleSeconds?: number | undefined;
}

/** What `create` takes. */
export interface NewClient extends ClientSettings {
  /** For clients whose id other configuration names. Default: a random one. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly kind: ClientKind;
  readonly metadata?: MetadataInput | undefined;
}

/** What `update` takes. Metadata is merged name by name; `null` takes a name back to its preset or away. */
export interface ClientPatch extends ClientSettings {
  readonly name?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly metadata?: { readonly [Key in keyof ClientMetadata]?: ClientMetadata[Key] | null | undefined } | undefined;
}
