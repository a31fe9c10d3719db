import type { SecretRing } from '../shared/crypto.ts';
import { asAccountId } from '../shared/ids.ts';
import { activeAt } from './totp-factor.ts';
import type { SealedTotps } from './totp-store.ts';

const batch = 500;

/**
 * Seals the secrets of all authenticators anew that an older secret of the ring sealed. It may run on several nodes, stop
 * anywhere and run again. `left` counts those that no secret of the ring opens.
 */
export async function resealTotps(
  store: SealedTotps,
  secrets: SecretRing,
): Promise<{ readonly resealed: number; readonly left: number }> {
  let [resealed, left, after] = [0, 0, ''];
  for (;;) {
    const rows = await store.stale(secrets.currentId, after, batch);
    for (const { accountId, sealed } of rows) {
      const place = activeAt(asAccountId(accountId));
      if (!secrets.opens(sealed)) left += 1;
      else if (await store.replace(accountId, sealed, secrets.seal(secrets.open(sealed, place), place))) resealed += 1;
    }
    after = rows.at(-1)?.accountId ?? after;
    if (rows.length < batch) return { resealed, left };
  }
}
