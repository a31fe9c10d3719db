import { type SecretRing, sha256 } from '../shared/crypto.ts';
import { type AccountId, randomSecret } from '../shared/ids.ts';
import { cookieOf, type OriginalRequest } from './original-request.ts';
import type { Requirement } from './requirement.ts';

/** Somebody who is signed in to an app behind a proxy. Times are seconds since the epoch. */
export interface AppSession {
  readonly accountId: AccountId;
  readonly sessionUid: string;
  readonly grantId: string;
  readonly scopes: readonly string[];
  readonly acr?: string;
  readonly authTime: number;
  readonly issuedAt: number;
  readonly until: number;
}

/** A sign-in that is under way. */
export interface PendingSignIn extends Pick<Requirement, 'acr' | 'maxAge'> {
  /** Where the browser wants to go, path and query. */
  readonly uri: string;
  readonly verifier: string;
  /** Seconds since the epoch. */
  readonly until: number;
}

/** An app on one of its origins: cookies and states of one are worth nothing to another. */
export interface Place {
  readonly clientId: string;
  readonly origin: string;
}

/** What a browser keeps for an app's gate: sealed, bound to the place it was made for. */
export interface AppCookies {
  /** What the request says it is; whether that still holds is for the caller to ask. */
  session(request: OriginalRequest, place: Place): AppSession | undefined;
  setSession(place: Place, session: AppSession): string;
  clearSession(place: Place): string;
  /** A `state` that only this browser can come back with; `cookies` gives it what it needs for that. */
  begin(request: OriginalRequest, place: Place, pending: PendingSignIn): { state: string; cookies: string[] };
  pending(request: OriginalRequest, place: Place, state: string): PendingSignIn | undefined;
}

const table = 'forward-auth';
const soundBrowser = /^[A-Za-z0-9_-]{43}$/;
const isSecure = ({ origin }: Place): boolean => origin.startsWith('https:');

// `__Host-` keeps neighbours under the same domain from setting the cookie. Browsers want Secure for it.
const nameFor = (place: Place, name: string): string =>
  `${isSecure(place) ? '__Host-' : ''}${name}_${sha256(place.clientId).slice(0, 10)}`;

const cookie = (place: Place, name: string, value: string, rest = ''): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${isSecure(place) ? '; Secure' : ''}${rest}`;

/** Makes the cookies. They need no store: what they say is checked against the session and the grant at every request. */
export function createAppCookies(secrets: SecretRing): AppCookies {
  const seal = (column: string, { clientId, origin }: Place, bound: string, content: unknown): string =>
    secrets.seal(JSON.stringify(content), { table, column, id: `${clientId} ${origin} ${bound}` });
  const open = (column: string, { clientId, origin }: Place, bound: string, sealed: string): unknown => {
    try {
      return JSON.parse(secrets.open(sealed, { table, column, id: `${clientId} ${origin} ${bound}` }));
    } catch {
      return undefined;
    }
  };
  const sessionName = (place: Place): string => nameFor(place, 'sp_app');
  const browserName = (place: Place): string => nameFor(place, 'sp_gate');

  return {
    session(request, place) {
      const value = cookieOf(request, sessionName(place));
      return value === undefined ? undefined : (open('session', place, '', value) as AppSession | undefined);
    },

    setSession: (place, session) => cookie(place, sessionName(place), seal('session', place, '', session)),

    clearSession: (place) => cookie(place, sessionName(place), '', '; Max-Age=0'),

    begin(request, place, pending) {
      const known = cookieOf(request, browserName(place));
      const browser = known !== undefined && soundBrowser.test(known) ? known : randomSecret();
      return {
        state: seal('state', place, browser, pending),
        cookies: browser === known ? [] : [cookie(place, browserName(place), browser)],
      };
    },

    pending(request, place, state) {
      const browser = cookieOf(request, browserName(place));
      if (browser === undefined || !soundBrowser.test(browser)) return undefined;
      return open('state', place, browser, state) as PendingSignIn | undefined;
    },
  };
}
