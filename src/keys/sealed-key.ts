import type { SealContext, SecretRing } from '../shared/crypto.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { SigningJwk } from './generate-key.ts';
import type { KeyRecord } from './key.ts';
import type { KeyStore, StoredKey } from './key-store.ts';

/** A key with its private part in the clear; it never leaves the process. */
export interface OpenKey extends KeyRecord {
  readonly jwk: SigningJwk;
}

const context = (kid: string): SealContext => ({ table: 'signing_key', id: kid, column: 'private_jwk' });

export const sealKey = (jwk: SigningJwk, secrets: SecretRing): string =>
  secrets.seal(JSON.stringify(jwk), context(jwk.kid));

/**
 * Opens a stored key. The public part comes out of the sealed value too, so nobody can plant one by writing a row.
 * @throws AppError `unavailable` when no secret of the ring opens it: the way out is the right secret, never a new key.
 */
export function openKey(key: StoredKey, secrets: SecretRing): OpenKey {
  try {
    const { sealed, ...record } = key;
    const jwk = JSON.parse(secrets.open(sealed ?? '', context(key.kid))) as SigningJwk;
    return { ...record, jwk };
  } catch (error) {
    throw new AppError(
      'unavailable',
      `Signing key ${key.kid} (${key.alg}) cannot be opened. Put the secret that sealed it back into SALLYPORT_SECRETS,` +
        ' after the newest one; no new key was made.',
      { reason: reasonOf(error) },
      error,
    );
  }
}

/**
 * Seals every key anew that an older secret sealed, so that the older secret can go.
 * It may run on several nodes, stop anywhere and run again: each row opens with exactly one secret at any time.
 */
export async function resealKeys(store: KeyStore, secrets: SecretRing): Promise<{ resealed: number; left: number }> {
  let resealed = 0;
  for (const key of await store.list()) {
    if (key.sealed === undefined || !secrets.isStale(key.sealed)) continue;
    const fresh = sealKey(openKey(key, secrets).jwk, secrets);
    if (await store.reseal(key.kid, key.sealed, fresh)) resealed += 1;
  }
  const left = (await store.list()).filter(({ sealed }) => sealed !== undefined && secrets.isStale(sealed));
  return { resealed, left: left.length };
}
