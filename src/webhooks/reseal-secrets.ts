import type { SecretRing } from '../shared/crypto.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { openSigningSecrets, sealSigningSecrets } from './signing-secrets.ts';

/**
 * Seals the secrets of all endpoints anew that an older secret of the ring sealed; what is posted meanwhile is signed as
 * before. It may run on several nodes, stop anywhere and run again. `left` counts those that no secret of the ring opens.
 */
export async function resealSecrets(
  endpoints: Pick<EndpointStore, 'list' | 'replaceSecrets'>,
  ring: SecretRing,
): Promise<{ readonly resealed: number; readonly left: number }> {
  let [resealed, left] = [0, 0];
  for (const { id, secrets, updatedAt } of await endpoints.list()) {
    if (!ring.isStale(secrets)) continue;
    if (!ring.opens(secrets)) left += 1;
    else {
      const fresh = sealSigningSecrets(ring, id, openSigningSecrets(ring, id, secrets));
      if (await endpoints.replaceSecrets(id, secrets, fresh, updatedAt)) resealed += 1;
    }
  }
  return { resealed, left };
}
