/** An actor, and the one before it (RFC 8693 §4.1). Only the outermost one acts now. */
export interface ActClaim {
  readonly sub: string;
  readonly client_id?: string;
  readonly act?: ActClaim;
}

/** Actors that one token may have. */
export const mostActors = 4;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The chain of a token, outermost first. Undefined for a claim that is none, or a longer one than we ever make. */
export function actorsOf(act: unknown): readonly ActClaim[] | undefined {
  const actors: ActClaim[] = [];
  for (let next = act; next !== undefined; ) {
    if (!isObject(next) || typeof next.sub !== 'string' || actors.length >= mostActors) return undefined;
    actors.push(next as unknown as ActClaim);
    next = next.act;
  }
  return actors;
}

/** Who acts, by what they prove. */
export interface ExchangeActor {
  readonly sub: string;
  readonly clientId: string;
}

/** `act` of the new token. Undefined when the chain is full, or the actor is in it already: then somebody goes in circles. */
export function nextAct(previous: unknown, { sub, clientId }: ExchangeActor): ActClaim | undefined {
  const actors = actorsOf(previous);
  if (!actors || actors.length >= mostActors) return undefined;
  const again = actors.some((one) => one.sub === sub || one.sub === clientId || one.client_id === clientId);
  if (again) return undefined;
  return {
    sub,
    ...(sub !== clientId && { client_id: clientId }),
    ...(previous !== undefined && { act: previous as ActClaim }),
  };
}

/** Whether the subject token lets this actor act (RFC 8693 §4.4). One that says nothing lets whom we let. */
export function mayAct(claim: unknown, { sub, clientId }: ExchangeActor, issuer: string): boolean {
  if (claim === undefined) return true;
  if (!isObject(claim)) return false;
  const { sub: wanted, iss, client_id: wantedClient } = claim;
  if (wanted === undefined && wantedClient === undefined) return false;
  const fits = wanted === undefined || wanted === sub;
  return fits && (wantedClient === undefined || wantedClient === clientId) && (iss === undefined || iss === issuer);
}

/** What limits the scopes of a new token. */
export interface ScopeLimits {
  readonly subject: Iterable<string>;
  readonly right: readonly string[];
  readonly api: Iterable<string>;
}

/**
 * The scopes of the new token: what is asked for, or all that is possible. Undefined when something was asked for that
 * any of the limits does not have, or nothing is left.
 */
export function narrowScopes(
  wanted: readonly string[] | undefined,
  { subject, right, api }: ScopeLimits,
): readonly string[] | undefined {
  const [had, offered] = [new Set(subject), new Set(api)];
  const possible = right.filter((scope) => had.has(scope) && offered.has(scope));
  const scopes = wanted ?? possible;
  return scopes.length > 0 && scopes.every((scope) => possible.includes(scope)) ? [...new Set(scopes)] : undefined;
}
