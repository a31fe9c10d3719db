import type { Adapter, AdapterPayload } from 'oidc-provider';

export { type KindName, slotOf, tokenIdFor } from './artifact-kind.ts';
export type { RequestFacts } from './artifact-request.ts';

/** What oidc-provider stores of one artifact. */
export type ArtifactPayload = AdapterPayload;

/**
 * Where oidc-provider keeps one of its models: its adapter, with promises that the library does not make itself.
 * Single use, rotation and replay detection are one conditional write each; ids are stored as hashes only.
 */
export interface ArtifactStore extends Adapter {
  /** Stores or replaces. What was ended (a session, a grant and all that hangs on it) is not brought back. */
  upsert(id: string, payload: ArtifactPayload, expiresIn?: number): Promise<void>;
  /** What is stored and has not expired. */
  find(id: string): Promise<ArtifactPayload | undefined>;
  findByUid(uid: string): Promise<ArtifactPayload | undefined>;
  findByUserCode(userCode: string): Promise<ArtifactPayload | undefined>;
  /** @throws errors.InvalidGrant (or InvalidRequestUri) when somebody else was first, whatever `find` said before. */
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  /** Removes every token and code of a grant, of any kind. */
  revokeByGrantId(grantId: string): Promise<void>;
}

/** The store of each model, as oidc-provider's `adapter` option takes it. */
export type ArtifactStores = (model: string) => ArtifactStore;

/** How forgiving refresh token rotation is (RFC 9700 §4.14.2). */
export interface RefreshPolicy {
  /**
   * Seconds in which a client whose answer got lost may present a refresh token again, as long as its successor is
   * unused and nobody else presented it at the same time. 0 revokes the family at every second use.
   */
  readonly refreshRetrySeconds: number;
  /** Whether this client gets no second try. */
  isStrict(clientId: string): Promise<boolean>;
}

/** Makes each store once, however often a provider is built anew. */
export function eachOnce(make: ArtifactStores): ArtifactStores {
  const made = new Map<string, ArtifactStore>();
  return (model) => {
    const store = made.get(model) ?? make(model);
    made.set(model, store);
    return store;
  };
}
