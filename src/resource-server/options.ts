import type { Fetch } from './fetch-text.ts';
import type { ReplayStore } from './replay-window.ts';

/** How an API takes tokens. All times are in seconds. */
export interface ResourceServerOptions {
  /** `iss` of the tokens, character by character. */
  readonly issuer: string;
  /** The identifier that this API is registered under; a token has to name one of these in `aud`. */
  readonly audience: string | readonly string[];
  /** Default ES256, RS256, PS256, EdDSA, Ed25519. Symmetric ones and `none` are refused. */
  readonly algorithms?: readonly string[];
  /** How far clocks may be apart. Default 5, at most 60. */
  readonly toleranceSeconds?: number;
  /** Longest token that is looked at, in characters. Default 8192. */
  readonly maxTokenLength?: number;
  /** Default: as the issuer's metadata say. */
  readonly jwksUri?: string;
  /** How long keys are used without asking again (300), when the issuer is away (86400 more), and how seldom an unknown `kid` makes us ask (30). */
  readonly keys?: { readonly freshSeconds?: number; readonly staleSeconds?: number; readonly cooldownSeconds?: number };
  /**
   * Tokens that were verified lately and are not verified again: their signature is not, `exp`, status and binding are.
   * Default 5000; 0 turns it off.
   */
  readonly rememberTokens?: number;
  /**
   * Status lists: `check` (default) looks tokens up that name one, `require` refuses tokens that do not, `ignore` does neither.
   * A list that cannot be fetched anew is used `staleSeconds` (300) longer, and not past its own `exp`; then tokens in it
   * are answered with 503.
   */
  readonly statusList?: { readonly mode?: 'check' | 'require' | 'ignore'; readonly staleSeconds?: number };
  /** Opaque tokens, which the issuer is asked about, or all of them. */
  readonly introspection?: IntrospectionOptions;
  /** Proof of possession (RFC 9449). Default: tokens that are bound to a key need a proof, others do not. */
  readonly dpop?: DpopOptions;
  /**
   * What stands before the path of a request as its caller wrote it, such as `https://api.example.com`; proofs of
   * possession name it. It never comes from `Host`. Default: the origin of the first audience.
   */
  readonly baseUrl?: string;
  /** For callers: what RFC 9728 lets an API say of itself, besides what is known already. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Longest wait for the issuer, in milliseconds. Default 3000. */
  readonly timeoutMilliseconds?: number;
  readonly fetch?: Fetch;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

/** How proofs of possession are taken. */
export interface DpopOptions {
  /** `when-bound` (default), or `required`: tokens that are bound to no key are refused. */
  readonly mode?: 'when-bound' | 'required';
  /** Default ES256, RS256, PS256, EdDSA, Ed25519. */
  readonly algorithms?: readonly string[];
  /** How old or how far ahead the `iat` of a proof may be. Default 60 seconds. */
  readonly maxAgeSeconds?: number;
  /** Where used proofs are remembered. Default: in this process, 100,000 of them; several processes need a common one. */
  readonly replays?: ReplayStore;
  /** Makes proofs carry a nonce of yours (RFC 9449 §9). */
  readonly nonces?: { readonly current: () => string; readonly isGood: (nonce: string) => boolean };
}

/** How the issuer is asked about tokens (RFC 7662). */
export interface IntrospectionOptions {
  /** Of a client that is registered for this API with `--kind service`. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Default: as the issuer's metadata say. */
  readonly endpoint?: string;
  /** Ask about JWTs too, so that a revocation counts within `cacheSeconds`. Default false. */
  readonly always?: boolean;
  /** Ask for signed answers (RFC 9701), for an issuer behind something that should not be able to alter them. */
  readonly signed?: boolean;
  /** How long an answer is used; never past `exp`. Default 10. */
  readonly cacheSeconds?: number;
  /** How long a token is remembered as not good. Default 2. */
  readonly negativeSeconds?: number;
  /** Answers that are remembered. Default 5000. */
  readonly cacheSize?: number;
  /** Questions at once; more are refused with 503. Default 64. */
  readonly maxInFlight?: number;
  /** Failures in a row after which the issuer is left in peace (5), and for how long (10 seconds). */
  readonly breakAfter?: number;
  readonly breakSeconds?: number;
}
