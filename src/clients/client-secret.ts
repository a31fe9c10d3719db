import { equalSecrets, sha256 } from '../shared/crypto.ts';
import { randomSecret } from '../shared/ids.ts';
import type { StoredSecret } from './client-store.ts';

/** A new client secret: 256 random bits. The prefix lets secret scanners find one that leaked. */
export const newClientSecret = (): string => `scs_${randomSecret()}`;

/** What is stored of a secret. SHA-256 is enough, because no one can guess 256 random bits. */
export const hashSecret = (secret: string): string => sha256(secret);

const nobody: readonly StoredSecret[] = [{ hash: '' }];

/** Whether `secret` is one of these and has not expired. The time it takes says nothing about which, or how nearly. */
export function matchesSecret(stored: readonly StoredSecret[], secret: string, now: number): boolean {
  const hash = hashSecret(secret);
  let matches = false;
  for (const candidate of stored.length === 0 ? nobody : stored) {
    const same = equalSecrets(candidate.hash, hash);
    const live = candidate.expiresAt === undefined || candidate.expiresAt > now;
    matches = (same && live) || matches;
  }
  return matches;
}
