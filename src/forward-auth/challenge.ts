import type { Reason } from './judge-token.ts';
import type { Requirement } from './requirement.ts';

/** An answer to a token that does not do: the status and `WWW-Authenticate`. */
export interface Challenge {
  readonly status: 401 | 403;
  readonly challenge: string;
}

// Values come from a proxy's configuration and were checked for quotes and backslashes there.
const parameters = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ');

/** The challenge of RFC 6750 §3 and RFC 9470 §3; without a reason there was no token. */
export function challengeFor(reason: Reason | undefined, { scopes, acr, maxAge }: Requirement): Challenge {
  if (reason === undefined) return { status: 401, challenge: 'Bearer' };
  if (reason === 'insufficient_scope' || reason === 'insufficient_permissions') {
    const scope = scopes.length > 0 && { scope: scopes.join(' ') };
    return { status: 403, challenge: `Bearer ${parameters({ error: 'insufficient_scope', ...scope })}` };
  }
  if (reason === 'insufficient_authentication') {
    const wanted = {
      error: 'insufficient_user_authentication',
      ...(acr !== undefined && { acr_values: acr }),
      ...(maxAge !== undefined && { max_age: String(maxAge) }),
    };
    return { status: 401, challenge: `Bearer ${parameters(wanted)}` };
  }
  return { status: 401, challenge: `Bearer ${parameters({ error: 'invalid_token' })}` };
}
