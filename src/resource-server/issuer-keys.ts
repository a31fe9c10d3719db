import { createHash } from 'node:crypto';
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { fetchText, parseObject } from './fetch-text.ts';
import type { IssuerMetadata } from './issuer-metadata.ts';
import { RemoteValue } from './remote-value.ts';
import type { Settings } from './settings.ts';

interface KeySet {
  /** Changes when the keys do. */
  readonly version: string;
  readonly find: JWTVerifyGetKey;
}

const maxKeys = 100;

/** Public keys for signatures, in the forms that we know. A symmetric key in a public document is nobody's secret. */
const isPublicKey = (key: unknown): boolean => {
  if (typeof key !== 'object' || key === null || 'd' in key) return false;
  const { kty, use } = key as { kty?: unknown; use?: unknown };
  return ['EC', 'RSA', 'OKP'].includes(kty as string) && (use === undefined || use === 'sig');
};

function readKeys(text: string): KeySet {
  const { keys } = parseObject(text);
  if (!Array.isArray(keys)) throw new Error('the JWKS has no keys');
  const usable = keys.slice(0, maxKeys).filter(isPublicKey);
  const version = createHash('sha256').update(JSON.stringify(usable)).digest('base64url').slice(0, 22);
  return { version, find: createLocalJWKSet({ keys: usable }) };
}

/** The issuer's keys, and the key behind a header. */
export class IssuerKeys {
  readonly #settings: Settings;
  readonly #keys: RemoteValue<KeySet>;

  constructor(settings: Settings, metadata: RemoteValue<IssuerMetadata>) {
    this.#settings = settings;
    const { fetch, limits, keys } = settings;
    this.#keys = new RemoteValue({
      now: settings.now,
      retrySeconds: settings.retrySeconds,
      async load() {
        const url = settings.jwksUri ?? (await metadata.get()).jwksUri;
        const accept = 'application/jwk-set+json, application/json';
        const { text } = await fetchText({ fetch, limits, url, accept });
        return { value: readKeys(text), freshSeconds: keys.freshSeconds, staleSeconds: keys.staleSeconds };
      },
    });
  }

  /** Which keys they are, while that is known for sure. What was verified with them stays verified as long. */
  get version(): string | undefined {
    return this.#keys.fresh?.version;
  }

  /**
   * The key that a header names. An unknown one is looked for at the issuer, once in a cool-down for all tokens: whoever
   * makes names up costs the issuer nothing. Addresses and keys within the header are never looked at.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.#keys.get();
    try {
      return await known.find(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || this.#keys.sinceTry < this.#settings.keys.cooldownSeconds * 1000) throw error;
    }
    const newer = await this.#keys.reload().catch(() => known);
    return newer.find(header, token);
  };
}
