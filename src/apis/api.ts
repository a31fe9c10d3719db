export type SigningAlg = 'ES256' | 'RS256' | 'EdDSA';

export interface ApiScope {
  readonly name: string;
  /** What it lets an app do, in words for the consent page. */
  readonly description: string;
}

/** A protected resource that access tokens are issued for (RFC 8707). */
export interface Api {
  /** Absolute URI without fragment. It is `resource` in requests and `aud` in tokens. */
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  /** `jwt` is RFC 9068; `opaque` has to be introspected. */
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Life of its access tokens when it differs from the server's. */
  readonly accessTokenSeconds?: number;
  readonly signingAlg: SigningAlg;
  /** Tokens for it are issued only after a second factor. */
  readonly requireSecondFactor: boolean;
  /** Its JWTs have a place in a status list, so that who verifies them offline learns of revocations. Default: no. */
  readonly statusList?: boolean;
  /** Milliseconds since the epoch, as `updatedAt`. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** What `create` takes. */
export interface NewApi {
  readonly identifier: string;
  readonly name: string;
  readonly scopes?: readonly ApiScope[] | undefined;
  /** Default `jwt`. */
  readonly tokenFormat?: 'jwt' | 'opaque' | undefined;
  readonly accessTokenSeconds?: number | undefined;
  /** Default `ES256`. */
  readonly signingAlg?: SigningAlg | undefined;
  readonly requireSecondFactor?: boolean | undefined;
  /** Default false. Only for `jwt`: an opaque token is asked about anyway. */
  readonly statusList?: boolean | undefined;
}

/** What `update` takes; `null` returns the life of tokens to the server's. */
export type ApiPatch = Partial<Omit<NewApi, 'identifier' | 'accessTokenSeconds'>> & {
  readonly accessTokenSeconds?: number | null | undefined;
};
