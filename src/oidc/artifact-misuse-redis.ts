import { errors } from 'oidc-provider';
import { currentUnitOfWork } from '../storage/unit-of-work.ts';
import type { Kind, KindName } from './artifact-kind.ts';
import { noteMisuse, retrySecondsFor } from './artifact-refresh.ts';
import { accuseScript } from './artifact-scripts-redis.ts';
import { endGrant, type RedisArtifactParts } from './artifact-unit-redis.ts';

const note = (key: string): string => `artifact.presented ${key}`;

/** Keeps the id of the grant of what a request presents: the store knows only its hash, and SQL has to be told the id. */
export const notePresented = (key: string, grantId: string): void =>
  void currentUnitOfWork()?.notes.set(note(key), grantId);

const presentedGrant = (key: string): string | undefined =>
  currentUnitOfWork()?.notes.get(note(key)) as string | undefined;

/** What happens to a second use, at once with the first or long after it. */
export function createMisuse(kind: Kind & { name: KindName }, { redis, clock, policy, uses }: RedisArtifactParts) {
  const isForgiving = async (clientId: string): Promise<boolean> =>
    kind.name === 'RefreshToken' && (await retrySecondsFor(policy, clientId || undefined)) > 0;
  const misuse = (key: string, clientId: string, revoked: boolean) =>
    ({ kind: kind.name, clientId: clientId || undefined, revoked, grantId: presentedGrant(key) }) as const;

  return {
    /** @throws errors.InvalidGrant always, after the grant was ended for those who are not forgiven. */
    async refuse(key: string, grantHash: string, clientId: string): Promise<never> {
      const revoked = !(await isForgiving(clientId)) && grantHash !== '';
      if (revoked && (await redis.evaluate(accuseScript, [key], [clock.now()])) === 'used') {
        await endGrant(redis, grantHash);
      }
      noteMisuse(misuse(key, clientId, revoked));
      throw new errors.InvalidGrant(`${kind.name} was already used`);
    },

    /**
     * What Redis says nobody used, SQL may know to be used: Redis can come back as it was before. For refresh tokens that
     * costs a row for each refresh, so only strict clients have it.
     * @throws errors.InvalidGrant after the grant was ended.
     */
    async settleUse(key: string, expiresAt: string, grantHash: string, clientId: string): Promise<void> {
      if (kind.name === 'PushedAuthorizationRequest' || (await isForgiving(clientId))) return;
      if (await uses.mark(key.slice(key.lastIndexOf(':') + 1), Number(expiresAt))) return;
      if (grantHash !== '') await endGrant(redis, grantHash);
      noteMisuse({ ...misuse(key, clientId, grantHash !== ''), late: true });
      throw new errors.InvalidGrant(`${kind.name} was already used`);
    },
  };
}
