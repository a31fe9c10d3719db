import { equalSecrets } from '../shared/crypto.ts';
import { asAccountId } from '../shared/ids.ts';
import { effectiveScopes, isUsable, keyClientId, type LiveApiKey } from './api-key.ts';
import type { StoredKey } from './api-key-store.ts';
import { readKeyText } from './key-text.ts';
import type { KeyParts } from './parts.ts';

/** Compared with where there is no key, so that it takes as long. Nothing hashes to it. */
const nothing = 'no key has this hash';

/** Whether this is the present secret, or the one before while it still works. Every comparison is made. */
function isSecretOf(found: StoredKey | undefined, hash: string, now: number): boolean {
  const present = equalSecrets(found?.hash ?? nothing, hash);
  const previous = equalSecrets(found?.previousHash ?? nothing, hash);
  return present || (previous && (found?.key.previousUntil ?? 0) > now);
}

/** What a key stands for at this moment, whoever shows it; undefined when it or its owner is out of use. */
async function standingOf(parts: KeyParts, found: StoredKey | undefined): Promise<LiveApiKey | undefined> {
  const { accounts, apis, clients, clock, mode } = parts;
  if (!found || mode === 'off' || !isUsable(found.key, clock.now())) return undefined;
  const { key } = found;
  const { owner, audience } = key;
  const [api, account, client] = await Promise.all([
    apis.find(audience),
    owner.kind === 'account' ? accounts.find(asAccountId(owner.id)) : undefined,
    owner.kind === 'client' ? clients.find(owner.id) : undefined,
  ]);
  const inUse = owner.kind === 'account' ? account?.status === 'active' : client?.disabled === false;
  if (!api || !inUse) return undefined;
  const scopes = effectiveScopes(key, api, client);
  if (scopes.length === 0) return undefined;
  return { key, api, scopes, clientId: client?.id ?? keyClientId, ...(account && { account }) };
}

/** Whether the key with this id is good, for what was made from it. */
export const findLiveKey = async (parts: KeyParts, id: string): Promise<LiveApiKey | undefined> =>
  standingOf(parts, await parts.store.find(id));

/**
 * What this text opens. A text that can be no key costs no look-up; for one that could be, an unknown id and a wrong
 * secret take the same steps.
 */
export async function verifyKeyText(parts: KeyParts, text: string): Promise<LiveApiKey | undefined> {
  const read = readKeyText(text);
  if (!read) return undefined;
  const found = await parts.store.find(read.id);
  return isSecretOf(found, read.hash, parts.clock.now()) ? standingOf(parts, found) : undefined;
}
