import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/**
 * Signs and checks cookies in the place of `keygrip`, whose format it keeps: HMAC-SHA-1 of `name=value`, base64url.
 * Its keys are imported once and a comparison is one step, where keygrip imports a key three times for each cookie.
 */
export class CookieSignatures {
  readonly #keys: readonly KeyObject[];

  /** @param keys newest first. @throws RangeError when there is none. */
  constructor(keys: readonly string[]) {
    if (keys.length === 0) throw new RangeError('At least one key is needed to sign cookies.');
    this.#keys = keys.map((key) => createSecretKey(Buffer.from(key)));
  }

  /** Signs with the newest key. */
  sign(data: string): string {
    return this.#mac(this.#keys[0] as KeyObject, data);
  }

  /** Which key made this signature, -1 when none did: whoever signed with an older one is given a new signature. */
  index(data: string, signature: string): number {
    const given = Buffer.from(signature);
    return this.#keys.findIndex((key) => {
      const own = Buffer.from(this.#mac(key, data));
      return own.length === given.length && timingSafeEqual(own, given);
    });
  }

  verify(data: string, signature: string): boolean {
    return this.index(data, signature) >= 0;
  }

  #mac(key: KeyObject, data: string): string {
    return createHmac('sha1', key).update(data).digest('base64url');
  }
}
