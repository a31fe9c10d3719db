import { isDeepStrictEqual } from 'node:util';
import { sha256 } from '../shared/crypto.ts';
import type { RequestFacts } from './artifact-request.ts';
import type { ArtifactPayload } from './artifact-store.ts';

/** Seconds that the previous cookie id of a session still opens it, for requests that were under way. */
export const aliasSeconds = 30;

/** A session as one request knows it, to tell later what that request changed. */
export interface SessionSnapshot {
  /** Counts writes; 0 before the first. */
  readonly version: number;
  /** What the store held at that version. */
  readonly stored: ArtifactPayload;
  /** What the request was given, or saved itself; it differs from `stored` after a merge. */
  readonly base: ArtifactPayload;
}

/** The facts that say who is signed in and how well; they change together. */
const authentication = ['accountId', 'loginTs', 'acr', 'amr', 'transient'] as const;
/** The library sets these at each save, or they identify the session. */
const own = new Set(['jti', 'uid', 'iat', 'exp', 'kind', 'authorizations', ...authentication]);

/**
 * Which authentication a session stands for. A cookie id opens a session only while both say the same, so an id from
 * before a sign-in, or before a fresh one, never opens what came after (session fixation; ASVS 7.2.4).
 */
export const bindingOf = ({ accountId, loginTs, acr, amr }: ArtifactPayload): string =>
  sha256(JSON.stringify([accountId ?? null, loginTs ?? null, acr ?? null, amr ?? null]));

const pick = (payload: ArtifactPayload, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => payload[name] !== undefined).map((name) => [name, payload[name]]));

/** Three-way merge by key: what this request changed since `base` wins over `stored`, what it left alone does not. */
function mergeMaps(
  base: Readonly<Record<string, unknown>> | undefined,
  mine: Readonly<Record<string, unknown>>,
  stored: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...stored };
  for (const [key, value] of Object.entries(mine)) {
    const untouched = base !== undefined && isDeepStrictEqual(base[key], value);
    if (!untouched) merged[key] = value;
  }
  for (const key of Object.keys(base ?? {})) if (!Object.hasOwn(mine, key)) delete merged[key];
  return merged;
}

const sameFacts = (one: ArtifactPayload, other: ArtifactPayload): boolean =>
  isDeepStrictEqual(pick(one, authentication), pick(other, authentication));

/** Whether two sign-ins count as one: the same account, equally strong, within half a minute. */
export const isSameSignIn = (one: ArtifactPayload, other: ArtifactPayload): boolean =>
  one.accountId === other.accountId &&
  one.acr === other.acr &&
  isDeepStrictEqual(one.amr, other.amr) &&
  Math.abs((one.loginTs ?? 0) - (other.loginTs ?? 0)) <= aliasSeconds;

/** Who is signed in after the merge: as this request says only if it signed them in itself, and not before the others. */
function authenticated(stored: ArtifactPayload, mine: ArtifactPayload, base?: ArtifactPayload): ArtifactPayload {
  if (base && sameFacts(base, mine)) return stored;
  // Two tabs of one browser that sign in at once must not push each other out.
  if (!(base && sameFacts(base, stored)) && isSameSignIn(mine, stored)) return stored;
  return (mine.loginTs ?? 0) >= (stored.loginTs ?? 0) ? mine : stored;
}

/** The id to hand to latecomers: the newest one that opens this session. */
function presentId(merged: ArtifactPayload, stored: ArtifactPayload, mine: ArtifactPayload, read?: SessionSnapshot) {
  const movedOn = read !== undefined && stored.jti !== read.stored.jti && mine.jti === read.base.jti;
  return movedOn || !isSameSignIn(merged, mine) ? stored.jti : mine.jti;
}

/**
 * What to store when a request saves a session that others may have saved since it was read.
 * Undefined means: leave what is there. That is so for a request that knows nobody, or somebody else, while the session
 * has somebody signed in: it is late, and must not sign them out or hand their session over.
 */
export function mergeSession(
  stored: ArtifactPayload,
  mine: ArtifactPayload,
  read?: SessionSnapshot,
): ArtifactPayload | undefined {
  if (stored.accountId !== mine.accountId) return stored.accountId === undefined ? mine : undefined;
  const base = read?.base;
  const rest = (payload: ArtifactPayload): Record<string, unknown> =>
    pick(
      payload,
      Object.keys(payload).filter((name) => !own.has(name)),
    );
  const authorizations = mergeMaps(base?.authorizations, mine.authorizations ?? {}, stored.authorizations ?? {});
  const merged = {
    ...pick(mine, ['jti', 'uid', 'iat', 'exp', 'kind']),
    ...pick(authenticated(stored, mine, base), authentication),
    ...mergeMaps(base && rest(base), rest(mine), rest(stored)),
    ...(Object.keys(authorizations).length > 0 && { authorizations }),
  } as ArtifactPayload;
  merged.jti = presentId(merged, stored, mine, read);
  return merged;
}

/** Remembers what each request read of which session, for as long as the request lives. */
export function createSessionMemory(request: RequestFacts) {
  const memory = new WeakMap<object, Map<string, SessionSnapshot>>();
  return {
    /** What the current request knows of a session. */
    recall(uidHash: string): SessionSnapshot | undefined {
      const key = request.current();
      return key && memory.get(key)?.get(uidHash);
    },
    /** Keeps copies: the library changes the objects it is given. */
    remember(uidHash: string, version: number, stored: ArtifactPayload, base = stored): void {
      const key = request.current();
      if (!key) return;
      const sessions = memory.get(key) ?? new Map<string, SessionSnapshot>();
      const copy = structuredClone(stored);
      const snapshot = { version, stored: copy, base: base === stored ? copy : structuredClone(base) };
      memory.set(key, sessions.set(uidHash, snapshot));
    },
  };
}

export type SessionMemory = ReturnType<typeof createSessionMemory>;
