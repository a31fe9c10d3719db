import type { Access } from './access.ts';
import { AccessError } from './access-error.ts';

/**
 * Demands scopes, all of them. @throws AccessError 403 `insufficient_scope`, which names them (RFC 6750 §3.1).
 */
export function requireScope(access: Access, ...scopes: readonly string[]): void {
  if (scopes.every((scope) => access.scopes.has(scope))) return;
  const parameters = { scope: scopes.join(' ') };
  throw new AccessError('insufficient_scope', 'The token lacks a scope.', access.challenge, { parameters });
}

/**
 * Demands entries of the claim `permissions`, all of them. @throws AccessError 403. The challenge names no scope, because
 * another token of this person would say the same.
 */
export function requirePermission(access: Access, ...permissions: readonly string[]): void {
  const { permissions: held } = access.claims;
  if (permissions.every((permission) => Array.isArray(held) && held.includes(permission))) return;
  throw new AccessError('insufficient_scope', 'The token lacks a permission.', access.challenge);
}

const rolesOf = (roles: unknown): unknown[] =>
  Array.isArray(roles) ? roles.map((role) => (typeof role === 'object' && role !== null ? role.value : role)) : [];

/** Demands one of these in the claim `roles`, as plain names or in SCIM form (RFC 9068 §2.2.3.1). @throws AccessError 403. */
export function requireRole(access: Access, ...anyOf: readonly string[]): void {
  const held = rolesOf(access.claims.roles);
  if (anyOf.some((role) => held.includes(role))) return;
  throw new AccessError('insufficient_scope', 'The token lacks a role.', access.challenge);
}

/** What {@link requireAcr} asks for. */
export interface AuthenticationDemand {
  /** Any of these contexts will do; the best first. */
  readonly acr?: string | readonly string[];
  /** Seconds since the person last signed in. */
  readonly maxAge?: number;
}

/**
 * Demands how and how lately the person signed in, by `acr` and `auth_time`. A token without them does not do.
 * @throws AccessError 401 `insufficient_user_authentication`, from which the app knows what to ask for (RFC 9470 §3).
 */
export function requireAcr({ claims, checkedAt, challenge }: Access, { acr, maxAge }: AuthenticationDemand): void {
  const values = acr === undefined ? undefined : typeof acr === 'string' ? [acr] : acr;
  const isStrong = values === undefined || (typeof claims.acr === 'string' && values.includes(claims.acr));
  const { auth_time: at } = claims;
  const isRecent =
    maxAge === undefined ||
    (typeof at === 'number' && Math.floor(checkedAt / 1000) - at <= maxAge && Number.isFinite(at));
  if (isStrong && isRecent) return;
  throw new AccessError(
    'insufficient_user_authentication',
    isStrong ? 'The sign-in is too long ago.' : 'Another way to sign in is needed.',
    challenge,
    {
      parameters: {
        ...(values && { acr_values: values.join(' ') }),
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
      },
    },
  );
}
