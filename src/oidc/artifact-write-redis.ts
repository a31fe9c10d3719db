import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { keyOf } from './artifact-keys-redis.ts';
import type { Kind, KindName } from './artifact-kind.ts';
import { grantHashOf, type PayloadCodec, secondsToKeep } from './artifact-payload.ts';
import type { ArtifactPayload } from './artifact-store.ts';

/** One write, ready for a script. Times are milliseconds. */
export interface RedisWrite {
  readonly key: string;
  /** A string, or a hash for what is used once. */
  readonly type: 's' | 'h';
  readonly value: string;
  readonly expiresAt: number;
  readonly ttl: number;
  readonly grantHash: string | undefined;
  readonly clientId: string | undefined;
}

/** The six arguments that `put` takes of a write. */
export const argumentsOf = (write: RedisWrite): (string | number)[] => [
  write.type,
  write.value,
  write.expiresAt,
  write.ttl,
  write.grantHash ?? '',
  write.clientId ?? '',
];

/** The write that stores an artifact under the hash of its id. */
export function writeOf(
  kind: Kind & { name: KindName },
  { codec, clock }: { readonly codec: PayloadCodec; readonly clock: Clock },
  artifact: { readonly id: string; readonly payload: ArtifactPayload; readonly expiresIn: number | undefined },
): RedisWrite {
  const { id, payload, expiresIn } = artifact;
  const ttl = Math.max(1, secondsToKeep(kind, expiresIn) * 1000);
  const expiresAt = clock.now() + ttl;
  const idHash = sha256(id);
  const text = codec.pack(kind, idHash, payload);
  return {
    key: keyOf(kind.name, id, idHash),
    type: kind.once ? 'h' : 's',
    value: kind.once ? text : `${expiresAt}.${text}`,
    expiresAt,
    ttl,
    grantHash: grantHashOf(kind, payload),
    clientId: payload.clientId,
  };
}

/** What the string of a grant that was ended reads. */
export const ended = 'x';

/** A string value carries its expiry in front, in milliseconds since the epoch. */
export const readString = (value: string | null, now: number): string | undefined => {
  if (value === null || value === ended) return undefined;
  const end = value.indexOf('.');
  return Number(value.slice(0, end)) > now ? value.slice(end + 1) : undefined;
};
