import { equalSecrets } from '../shared/crypto.ts';
import { asAccountId } from '../shared/ids.ts';
import { effectiveScopes, isUsable, keyClientId, type LiveApiKey } from './api-key.ts';
import type { StoredKey } from './api-key-store.ts';
import { readKeyText } from './key-text.ts';
import type { KeyParts } from './parts.ts';

/** Compared with where there is no key, so that it takes as long. Nothing hashes to it. */
const nothing = 'no key has this hash';

/**
 * When this secret was made, if it is the present one, or at the earliest, if it is the one before while it still works.
 * Undefined for any other. Every comparison is made.
 */
function secretSince(found: StoredKey | undefined, hash: string, now: number): number | undefined {
  const present = equalSecrets(found?.hash ?? nothing, hash);
  const previous = equalSecrets(found?.previousHash ?? nothing, hash);
  if (present) return found?.key.issuedAt;
  return previous && (found?.key.previousUntil ?? 0) > now ? found?.key.createdAt : undefined;
}

/** What a key stands for at this moment, whoever shows it; undefined when it or its owner is out of use. */
async function standingOf(
  parts: KeyParts,
  found: StoredKey | undefined,
  issuedAt = found?.key.issuedAt,
): Promise<LiveApiKey | undefined> {
  const { accounts, apis, clients, revocations, clock, mode } = parts;
  if (!found || mode === 'off' || !isUsable(found.key, clock.now())) return undefined;
  const { key } = found;
  const { owner, audience } = key;
  // With `everything`: a key that was being made when all of them were ended.
  if (revocations.isRevokedCached([{ kind: 'api', id: audience, issuedAt }])) return undefined;
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
  const issuedAt = secretSince(found, read.hash, parts.clock.now());
  return issuedAt === undefined ? undefined : standingOf(parts, found, issuedAt);
}
