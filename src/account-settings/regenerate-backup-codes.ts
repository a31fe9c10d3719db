import type { Account } from '../accounts/index.ts';
import { hasSecondFactor } from '../credentials/index.ts';
import { AppError } from '../shared/errors.ts';
import { type ChangeContext, factorsOf, type SettingsParts } from './parts.ts';

/**
 * Makes ten other backup codes; those of before stop working. They are returned here and never again. Of many at once
 * one gets codes that are good, and the others hear that they were overtaken.
 * @throws AppError `conflict` when two-step verification is off or other codes were made meanwhile, `unavailable`
 */
export async function regenerateBackupCodes(
  parts: SettingsParts,
  { id }: Account,
  context: ChangeContext,
): Promise<readonly string[]> {
  const { store, credentials } = parts;
  const { backupCodes: before } = await store.timesOf(id);
  const prepared = await credentials.backupCodes.prepare();
  return store.transaction(async () => {
    await store.lock(id);
    if (!hasSecondFactor(await factorsOf(parts, id))) {
      throw new AppError('conflict', 'Two-step verification is off, so there is nothing that backup codes would open.');
    }
    if ((await store.timesOf(id)).backupCodes !== before) {
      throw new AppError('conflict', 'Backup codes were made at the same moment elsewhere. Open the page again.');
    }
    await credentials.backupCodes.put(id, prepared, context);
    return prepared.codes;
  });
}
