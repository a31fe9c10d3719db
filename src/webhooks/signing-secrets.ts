import { randomBytes } from 'node:crypto';
import type { SecretRing } from '../shared/crypto.ts';
import { readWebhookSecret, writeWebhookSecret } from '../shared/standard-webhooks.ts';

/** A secret, and until when it signs beside its successor. */
export interface SigningSecret {
  readonly secret: string;
  /** Milliseconds; without it, until it is replaced. */
  readonly until?: number;
}

/** A new secret of 256 random bits. */
export const newSigningSecret = (): SigningSecret => ({ secret: writeWebhookSecret(randomBytes(32)) });

const contextOf = (id: string) => ({ table: 'webhook_endpoint', id, column: 'secrets' });

export const sealSigningSecrets = (ring: SecretRing, id: string, secrets: readonly SigningSecret[]): string =>
  ring.seal(JSON.stringify(secrets), contextOf(id));

export const openSigningSecrets = (ring: SecretRing, id: string, sealed: string): readonly SigningSecret[] =>
  JSON.parse(ring.open(sealed, contextOf(id))) as SigningSecret[];

/** Those that sign now, newest first. */
export const activeSecrets = (secrets: readonly SigningSecret[], now: number): readonly SigningSecret[] =>
  secrets.filter(({ until }) => until === undefined || until > now);

/** The newest and one that goes; whatever was going before is gone. */
export const rotatedSecrets = (
  secrets: readonly SigningSecret[],
  next: SigningSecret,
  until: number,
): readonly SigningSecret[] => {
  const [current] = secrets;
  return current ? [next, { secret: current.secret, until }] : [next];
};

/** The keys that sign now. */
export const signingKeys = (secrets: readonly SigningSecret[], now: number): Buffer[] =>
  activeSecrets(secrets, now).map(({ secret }) => readWebhookSecret(secret));
