import { fetchText, parseObject } from './fetch-text.ts';
import { RemoteValue } from './remote-value.ts';
import type { Settings } from './settings.ts';

/** What is used of the issuer's metadata (RFC 8414 §2). */
export interface IssuerMetadata {
  readonly jwksUri: string;
  readonly introspectionEndpoint: string | undefined;
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** @throws Error for an address by which somebody on the way could answer for the issuer. */
export function safeAddress(value: unknown, name: string): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isSafe = url && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname)));
  if (!url || !isSafe || url.username !== '') throw new Error(`the metadata have no usable ${name}`);
  return url.href;
}

/** `/.well-known/openid-configuration` behind the issuer, as OpenID Connect Discovery §4 has it. */
const addressOf = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** The issuer's metadata: read when they are needed first, then once an hour. */
export const createIssuerMetadata = (settings: Settings): RemoteValue<IssuerMetadata> =>
  new RemoteValue({
    now: settings.now,
    retrySeconds: settings.retrySeconds,
    async load() {
      const { issuer, fetch, limits } = settings;
      const { text } = await fetchText({ fetch, limits, url: addressOf(issuer), accept: 'application/json' });
      const { issuer: named, jwks_uri, introspection_endpoint: endpoint } = parseObject(text);
      // RFC 8414 §3.3: metadata of somebody else's are nobody's.
      if (named !== issuer) throw new Error('the metadata name another issuer');
      const value = {
        jwksUri: safeAddress(jwks_uri, 'jwks_uri'),
        introspectionEndpoint: endpoint === undefined ? undefined : safeAddress(endpoint, 'introspection_endpoint'),
      };
      return { value, freshSeconds: 3600, staleSeconds: settings.keys.staleSeconds };
    },
  });
