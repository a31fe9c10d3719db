import type { AccountId, ClientId } from '../shared/ids.ts';

/** What a person lets an app do. Scopes of the account itself, and scopes by API identifier. */
export interface Permissions {
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

export interface Consent extends Permissions {
  readonly accountId: AccountId;
  readonly clientId: ClientId;
  /** Milliseconds since the epoch. */
  readonly grantedAt: number;
  readonly updatedAt: number;
  /** When the app last got a token of this person, right to an hour; absent while it never did. */
  readonly lastUsedAt?: number;
}

const union = (left: readonly string[], right: readonly string[]): string[] => [...new Set([...left, ...right])].sort();

/** Both permissions together. */
export function joinPermissions(left: Permissions, right: Permissions): Permissions {
  const resources: Record<string, readonly string[]> = { ...left.resources };
  for (const [identifier, scopes] of Object.entries(right.resources)) {
    resources[identifier] = union(resources[identifier] ?? [], scopes);
  }
  return { scopes: union(left.scopes, right.scopes), claims: union(left.claims, right.claims), resources };
}

/** Whether `granted` leaves nothing of `wanted` to be asked. */
export function covers(granted: Permissions, wanted: Permissions): boolean {
  const within = (have: readonly string[], need: readonly string[]): boolean =>
    need.every((item) => have.includes(item));
  return (
    within(granted.scopes, wanted.scopes) &&
    within(granted.claims, wanted.claims) &&
    // An API without any of its scopes is something to be asked for as well: its tokens name the person.
    Object.entries(wanted.resources).every(([identifier, need]) => {
      const have = granted.resources[identifier];
      return have !== undefined && within(have, need);
    })
  );
}
