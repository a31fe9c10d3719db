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

/** A token that a redemption stores. */
export interface NewToken {
  readonly model: 'RefreshToken' | 'AccessToken';
  readonly id: string;
  readonly payload: ArtifactPayload;
  /** Seconds. */
  readonly expiresIn: number;
}

/** A refresh token that nobody has used. */
export interface Redeemable {
  readonly token: ArtifactPayload;
  /** What it was issued under, if that is still there. */
  grant(): Promise<ArtifactPayload | undefined>;
}

/**
 * A refresh in one look and one write, for requests that need no unit of work. It knows the plain case only: whatever
 * else there is (a second use, another request that holds the token, an ended grant) is left to the stores of the models.
 */
export interface Redemptions {
  /** Undefined for everything but a refresh token that is there and unused. */
  find(id: string): Promise<Redeemable | undefined>;
  /**
   * Uses up the refresh token `id` and stores `tokens`, its successor first: all of it, or nothing and false. Of many at
   * once exactly one is told true, and the others leave a mark that there were several.
   */
  redeem(id: string, tokens: readonly [NewToken, ...NewToken[]]): Promise<boolean>;
}

/** The store of each model, as oidc-provider's `adapter` option takes it, and a short way for the plain refresh. */
export interface ArtifactStores {
  (model: string): ArtifactStore;
  readonly redemptions: Redemptions;
}

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
export function eachOnce(make: (model: string) => ArtifactStore): (model: string) => ArtifactStore {
  const made = new Map<string, ArtifactStore>();
  return (model) => {
    const store = made.get(model) ?? make(model);
    made.set(model, store);
    return store;
  };
}
