import { type SecretRing, sha256 } from '../shared/crypto.ts';
import type { Kind, KindName } from './artifact-kind.ts';
import type { ArtifactPayload } from './artifact-store.ts';

/** Turns payloads into what may lie in a store, and back. */
export interface PayloadCodec {
  /** The payload without its bearer value, encrypted where it holds others. */
  pack(kind: Kind & { name: KindName }, idHash: string, payload: ArtifactPayload): string;
  /** The payload again, or undefined when no secret of the ring opens it: then it is as good as gone. */
  unpack(
    kind: Kind & { name: KindName },
    idHash: string,
    text: string,
    state: { readonly id?: string; readonly consumedAt?: number | undefined },
  ): ArtifactPayload | undefined;
  /** What a user code is stored as. It is short, so a plain hash could be searched. */
  hashUserCode(userCode: string): string;
}

const place = (kind: KindName, idHash: string) => ({ table: 'artifact', id: `${kind}:${idHash}`, column: 'payload' });

export const createPayloadCodec = (secrets: SecretRing): PayloadCodec => ({
  pack(kind, idHash, payload) {
    const { jti, consumed, ...rest } = payload;
    const text = JSON.stringify(kind.keepsId ? { ...rest, jti } : rest);
    return kind.sealed ? secrets.seal(text, place(kind.name, idHash)) : text;
  },

  unpack(kind, idHash, text, { id, consumedAt }) {
    let plain = text;
    if (kind.sealed) {
      try {
        plain = secrets.open(text, place(kind.name, idHash));
      } catch {
        return undefined;
      }
    }
    const payload = JSON.parse(plain) as ArtifactPayload;
    if (id !== undefined) payload.jti = id;
    if (consumedAt !== undefined) payload.consumed = Math.floor(consumedAt / 1000);
    return payload;
  },

  hashUserCode: (userCode) => secrets.mac('user-code', userCode),
});

/** Ten years: for what the library saves without an end, so that every row and key has one that a date can be. */
const longest = 315_360_000;

/** How many seconds to keep an artifact. */
export const secondsToKeep = (kind: Kind, expiresIn: number | undefined): number =>
  (Number.isFinite(expiresIn) ? Math.min(longest, Math.max(0, expiresIn ?? 0)) : longest) + (kind.grace ?? 0);

/** The hash that stands for the grant of a payload, when it is revoked with its grant. */
export const grantHashOf = (kind: Kind, payload: ArtifactPayload): string | undefined =>
  kind.granted && payload.grantId !== undefined ? sha256(payload.grantId) : undefined;
