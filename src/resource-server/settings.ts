import type { Fetch, FetchLimits } from './fetch-text.ts';
import type { DpopOptions, IntrospectionOptions, ResourceServerOptions } from './options.ts';
import { resourceMetadataUrl } from './resource-metadata.ts';

/** The options, checked and complete. */
export interface Settings {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly toleranceSeconds: number;
  readonly maxTokenLength: number;
  readonly jwksUri: string | undefined;
  readonly keys: { readonly freshSeconds: number; readonly staleSeconds: number; readonly cooldownSeconds: number };
  readonly rememberTokens: number;
  readonly statusList: { readonly mode: 'check' | 'require' | 'ignore'; readonly staleSeconds: number };
  readonly introspection: IntrospectionOptions | undefined;
  readonly dpop: DpopOptions;
  readonly baseUrl: string | undefined;
  readonly resourceMetadata: string | undefined;
  readonly limits: FetchLimits;
  /** Seconds between tries while the issuer is away and what we have will do. */
  readonly retrySeconds: number;
  readonly fetch: Fetch;
  readonly now: () => number;
}

const asymmetric = /^(?:ES(?:256|384|512)|[RP]S(?:256|384|512)|EdDSA|Ed25519)$/;
const usual = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];

const isHttp = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');

/** What comes before a path. */
function baseOf({ baseUrl }: ResourceServerOptions, audience: string): string | undefined {
  if (baseUrl === undefined) return isHttp(audience) ? new URL(audience).origin : undefined;
  if (!isHttp(baseUrl)) throw new RangeError('The baseUrl has to be an http or https address.');
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname.replace(/\/$/, '')}`;
}

function checkedAudience({ issuer, audience: given }: ResourceServerOptions): readonly [string, ...string[]] {
  const [first, ...others] = typeof given === 'string' ? [given] : given;
  if (!URL.canParse(issuer)) throw new RangeError('The issuer has to be the address that tokens have in iss.');
  if (!first || others.includes('')) throw new RangeError('An audience is needed.');
  return [first, ...others];
}

function checkedAlgorithms({ algorithms = usual }: ResourceServerOptions): readonly string[] {
  if (algorithms.length > 0 && algorithms.every((alg) => asymmetric.test(alg))) return algorithms;
  throw new RangeError('Only signatures with public keys are accepted: no HS256 and no none.');
}

/** Checks the options. @throws RangeError for one that would let the wrong token in. */
export function readSettings(options: ResourceServerOptions): Settings {
  const audience = checkedAudience(options);
  const { toleranceSeconds = 5, timeoutMilliseconds = 3_000, statusList, keys } = options;
  if (!(toleranceSeconds >= 0 && toleranceSeconds <= 60)) throw new RangeError('Clocks may be 0 to 60 seconds apart.');
  return {
    issuer: options.issuer,
    audience,
    algorithms: checkedAlgorithms(options),
    toleranceSeconds,
    maxTokenLength: options.maxTokenLength ?? 8192,
    jwksUri: options.jwksUri,
    keys: { freshSeconds: 300, staleSeconds: 86_400, cooldownSeconds: 30, ...keys },
    rememberTokens: options.rememberTokens ?? 5_000,
    statusList: { mode: 'check', staleSeconds: 300, ...statusList },
    introspection: options.introspection,
    dpop: options.dpop ?? {},
    baseUrl: baseOf(options, audience[0]),
    resourceMetadata: isHttp(audience[0]) ? resourceMetadataUrl(audience[0]) : undefined,
    limits: { timeoutMilliseconds, maxBytes: 1024 * 1024 },
    retrySeconds: 5,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    now: options.now ?? Date.now,
  };
}
