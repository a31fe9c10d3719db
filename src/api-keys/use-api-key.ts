import { equalSecrets } from '../shared/crypto.ts';
import { asAccountId } from '../shared/ids.ts';
import { effectiveScopes, isUsable, keyClientId, type LiveApiKey } from './api-key.ts';
import type { StoredKey } from './api-key-store.ts';
import { markOf, readKeyText } from './key-text.ts';
import type { KeyParts } from './parts.ts';

/** Compared with where there is no key, so that it takes as long. Nothing hashes to it. */
const nothing = 'no key has this hash';

/** A text of a key that is good now. */
interface GoodText {
  /** When it was made, if it is the present one, or at the earliest, if it is the one before. */
  readonly since: number;
  /** When it ends, if that is before its key does. */
  readonly until?: number;
  readonly mark: string;
}

const presentText = ({ key, hash }: StoredKey): GoodText => ({ since: key.issuedAt, mark: markOf(hash) });

/** The present text, or the one before while it still works, if it is the one that is meant. Every comparison is made. */
function findText(found: StoredKey | undefined, isMeant: (hash: string) => boolean, now: number): GoodText | undefined {
  const present = isMeant(found?.hash ?? nothing);
  const previous = isMeant(found?.previousHash ?? nothing);
  if (present) return found && presentText(found);
  const until = found?.key.previousUntil ?? 0;
  if (!previous || until <= now || found?.previousHash === undefined) return undefined;
  return { since: found.key.createdAt, until, mark: markOf(found.previousHash) };
}

const earlier = (one = Infinity, other = Infinity): { endsAt?: number } => {
  const endsAt = Math.min(one, other);
  return endsAt === Infinity ? {} : { endsAt };
};

/** What a key stands for at this moment by that text, whoever shows it; undefined when it or its owner is out of use. */
async function standingOf(
  parts: KeyParts,
  found: StoredKey,
  { since: issuedAt, until, mark }: GoodText,
): Promise<LiveApiKey | undefined> {
  const { accounts, apis, clients, revocations, clock, mode } = parts;
  if (mode === 'off' || !isUsable(found.key, clock.now())) return undefined;
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
  const clientId = client?.id ?? keyClientId;
  return { key, api, scopes, clientId, mark, ...earlier(key.expiresAt, until), ...(account && { account }) };
}

/** Whether the key with this id is good, and its text with this mark, for what was made from it; without a mark: any. */
export async function findLiveKey(parts: KeyParts, id: string, mark?: string): Promise<LiveApiKey | undefined> {
  const found = await parts.store.find(id);
  if (!found) return undefined;
  const isMeant = (hash: string): boolean => markOf(hash) === mark;
  const text = mark === undefined ? presentText(found) : findText(found, isMeant, parts.clock.now());
  return text && standingOf(parts, found, text);
}

/**
 * What this text opens. A text that can be no key costs no look-up; for one that could be, an unknown id and a wrong
 * secret take the same steps.
 */
export async function verifyKeyText(parts: KeyParts, text: string): Promise<LiveApiKey | undefined> {
  const read = readKeyText(text);
  if (!read) return undefined;
  const found = await parts.store.find(read.id);
  const good = findText(found, (hash) => equalSecrets(hash, read.hash), parts.clock.now());
  return found && good && standingOf(parts, found, good);
}
