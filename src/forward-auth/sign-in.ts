import type { Client } from '../clients/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { randomSecret } from '../shared/ids.ts';
import type { Answer } from './answer.ts';
import type { Place } from './app-cookies.ts';
import { isFreshEnough } from './judge-token.ts';
import { isNavigation, type OriginalRequest, queryOf, single } from './original-request.ts';
import type { ForwardAuthParts } from './parts.ts';
import { gatePaths, returnAddress } from './protected-app.ts';
import type { Requirement } from './requirement.ts';

type Strength = Pick<Requirement, 'acr' | 'maxAge'>;

/** The identity scopes that the client may have; nothing of what they open is kept here. */
function scopesOf({ metadata }: Client): string {
  const scopes = metadata.scope.split(' ').filter((name) => ['openid', 'profile', 'email'].includes(name));
  return [...new Set(['openid', ...scopes])].join(' ');
}

/** Sends the browser to the sign-in of the issuer, and remembers where it wanted to go. */
export function beginSignIn(
  { cookies, clock, issuer, paths, signInSeconds }: ForwardAuthParts,
  client: Client,
  place: Place,
  request: OriginalRequest,
  { acr, maxAge }: Strength,
  uri = request.uri,
): Answer {
  const verifier = randomSecret();
  const strength = { ...(acr !== undefined && { acr }), ...(maxAge !== undefined && { maxAge }) };
  // Only the path: the origin is the place that the state is bound to.
  const back = returnAddress(place.origin, uri).slice(place.origin.length);
  const pending = { uri: back, verifier, until: epochSeconds(clock) + signInSeconds, ...strength };
  const begun = cookies.begin(request, place, pending);
  const query = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    redirect_uri: `${place.origin}${gatePaths.callback}`,
    scope: scopesOf(client),
    state: begun.state,
    code_challenge: sha256(verifier),
    code_challenge_method: 'S256',
    ...(acr !== undefined && { acr_values: acr }),
    ...(maxAge !== undefined && { max_age: String(maxAge) }),
  });
  return {
    outcome: 'redirect',
    location: `${issuer}${paths.authorization}?${query}`,
    cookies: begun.cookies,
    client: client.id,
  };
}

/** An address that scripts of an app can send the browser to when they are refused; `return_to` is a path of the app. */
export function signInPage(parts: ForwardAuthParts, client: Client, place: Place, request: OriginalRequest): Answer {
  const uri = single(queryOf(request.uri), 'return_to') ?? '/';
  return beginSignIn(parts, client, place, request, {}, uri);
}

const refuse = (reason: string, text: string, client: string): Answer => ({
  outcome: 'refuse',
  status: 403,
  reason,
  text,
  client,
});

const expired = 'This sign-in has expired, or began in another browser. Nothing is lost: open the page again.';

/** Takes the browser back from the sign-in. Only the browser that began it can finish it (RFC 6749 §10.12). */
export async function finishSignIn(parts: ForwardAuthParts, place: Place, request: OriginalRequest): Promise<Answer> {
  const { cookies, clock, issuer, redeem, sessionSeconds } = parts;
  const { clientId, origin } = place;
  const query = queryOf(request.uri);
  const [state, code, error] = ['state', 'code', 'error'].map((name) => single(query, name));
  const pending = state === undefined ? undefined : cookies.pending(request, place, state);
  const now = epochSeconds(clock);
  // RFC 9207: an answer of another server is none.
  if (!pending || pending.until <= now || single(query, 'iss') !== issuer) return refuse('state', expired, clientId);
  if (!isNavigation(request)) return refuse('not_a_navigation', expired, clientId);
  if (error !== undefined || code === undefined) {
    return refuse('not_completed', 'The sign-in was not completed. Open the page again to repeat it.', clientId);
  }
  const redirectUri = `${origin}${gatePaths.callback}`;
  const signIn = await redeem(code, { clientId, redirectUri, verifier: pending.verifier });
  if (!signIn) return refuse('code', expired, clientId);
  // One that falls short would be sent back and forth without end.
  if (!isFreshEnough(signIn, pending, now)) {
    return refuse('too_weak', 'This app asks for a stronger sign-in than this account can show.', clientId);
  }
  const session = { ...signIn, until: signIn.authTime + sessionSeconds };
  return {
    outcome: 'redirect',
    location: returnAddress(origin, pending.uri),
    cookies: [cookies.setSession(place, session)],
    client: clientId,
  };
}

/** Ends what the app's host keeps and leads to the issuer, where the person ends the session itself. */
export function signOut({ cookies, issuer, paths }: ForwardAuthParts, place: Place): Answer {
  const query = new URLSearchParams({ client_id: place.clientId });
  return {
    outcome: 'redirect',
    location: `${issuer}${paths.end_session}?${query}`,
    cookies: [cookies.clearSession(place)],
    client: place.clientId,
  };
}
