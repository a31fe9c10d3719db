import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { CookieSignatures } from './cookie-signatures.ts';

/** SHA-256 as base64url. Right for generated secrets of 128 bits and more; never for what a person chose. */
export const sha256 = (value: string | Uint8Array): string => hash('sha256', value, 'base64url');

/** Compares two strings in a time that depends only on the length of `actual`. */
export function equalSecrets(expected: string, actual: string): boolean {
  return timingSafeEqual(hash('sha256', expected, 'buffer'), hash('sha256', actual, 'buffer'));
}

/** Where a sealed value lives. It is authenticated, so a value copied to another row does not open. */
export interface SealContext {
  readonly table: string;
  readonly id: string;
  readonly column: string;
}

/**
 * The installation's secrets, newest first, and the keys that are derived from them.
 * Each purpose has a key of its own (HKDF, RFC 5869), so that no use can serve as an oracle for another.
 */
export class SecretRing {
  readonly #secrets: readonly { readonly id: string; readonly secret: string }[];
  readonly #cache = new Map<string, KeyObject>();

  /** @throws RangeError when a secret is shorter than 32 characters or none is given. */
  constructor(secrets: readonly string[]) {
    if (secrets.length === 0) throw new RangeError('At least one secret is needed.');
    for (const secret of secrets) {
      if (secret.length < 32) throw new RangeError('A secret needs 32 characters or more.');
    }
    this.#secrets = secrets.map((secret) => ({ id: sha256(`sallyport:secret-id:${secret}`).slice(0, 8), secret }));
  }

  /** The id of the secret that new values are sealed with. */
  get currentId(): string {
    return this.#first.id;
  }

  /** The ids of all secrets, newest first. */
  get ids(): readonly string[] {
    return this.#secrets.map(({ id }) => id);
  }

  get #first(): { readonly id: string; readonly secret: string } {
    const [first] = this.#secrets;
    if (!first) throw new RangeError('At least one secret is needed.');
    return first;
  }

  /** Signs cookies with the newest secret's key and knows those of the others. */
  cookies(): CookieSignatures {
    return new CookieSignatures(
      this.#secrets.map(({ id, secret }) => this.#derive(id, secret, 'cookies').export().toString('base64url')),
    );
  }

  /** HMAC-SHA-256 under the newest secret's key for `purpose`, base64url. */
  mac(purpose: string, value: string): string {
    const { id, secret } = this.#first;
    return createHmac('sha256', this.#derive(id, secret, `mac:${purpose}`))
      .update(value)
      .digest('base64url');
  }

  /** Whether any of the secrets made this MAC, so that rotation breaks nothing that is under way. */
  verifyMac(purpose: string, value: string, mac: string): boolean {
    return this.#secrets.some(({ id, secret }) => {
      const own = createHmac('sha256', this.#derive(id, secret, `mac:${purpose}`))
        .update(value)
        .digest('base64url');
      return equalSecrets(own, mac);
    });
  }

  /** Encrypts with AES-256-GCM. The result names its key: `v1.<key id>.<iv>.<ciphertext and tag>`. */
  seal(plain: string, context: SealContext): string {
    const { id, secret } = this.#first;
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#derive(id, secret, 'seal'), iv);
    cipher.setAAD(Buffer.from(`${context.table}\0${context.id}\0${context.column}`));
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${id}.${iv.toString('base64url')}.${body.toString('base64url')}`;
  }

  /** @throws Error when the key is not in the ring, or the value was changed or moved. */
  open(sealed: string, context: SealContext): string {
    const [version, id, iv, body] = sealed.split('.');
    const key = this.#secrets.find((candidate) => candidate.id === id);
    if (version !== 'v1' || !key || !iv || !body) {
      throw new Error(
        `A sealed ${context.table}.${context.column} needs a secret that SALLYPORT_SECRETS does not have.`,
      );
    }
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv(
      'aes-256-gcm',
      this.#derive(key.id, key.secret, 'seal'),
      Buffer.from(iv, 'base64url'),
    );
    decipher.setAAD(Buffer.from(`${context.table}\0${context.id}\0${context.column}`));
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
  }

  /** Whether the secret that sealed this value is in the ring. */
  opens(sealed: string): boolean {
    return this.ids.includes(sealed.split('.')[1] ?? '');
  }

  /** Whether this value was sealed with an older secret and should be sealed anew. */
  isStale(sealed: string): boolean {
    return sealed.split('.')[1] !== this.currentId;
  }

  #derive(id: string, secret: string, purpose: string): KeyObject {
    const name = `${id}:${purpose}`;
    let key = this.#cache.get(name);
    if (!key) {
      // A key object is imported once; bytes would be at every use, which costs five times the encryption.
      key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'sallyport', purpose, 32)));
      this.#cache.set(name, key);
    }
    return key;
  }
}
