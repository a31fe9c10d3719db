import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { sha256 } from '../shared/crypto.ts';
import { type AccountId, asAccountId, randomSecret } from '../shared/ids.ts';
import type { AcrValue } from './authentication-context.ts';
import { consoleCallbackPath, consoleClientId } from './console-client.ts';
import type { OidcDomains } from './domains.ts';
import { accessEnded } from './find-account.ts';
import { protocolRoutes } from './routes.ts';

/** Who is signed in to this browser, as of the last sign-in. It does not say that the account may still be used. */
export interface CurrentSession {
  /** Stays the same while the cookie's value changes. */
  readonly uid: string;
  /** The name that the audit log and the person's list have for it; opens nothing. */
  readonly handle?: string;
  readonly accountId: AccountId;
  readonly acr?: string;
  readonly amr: readonly string[];
  /** When the person last proved who they are; seconds since the epoch. */
  readonly authTime?: number;
}

/** What a sign-in for our consoles asks for. */
export interface ConsoleSignIn {
  /** Comes back unchanged; it has to be bound to the browser (RFC 6749 §10.12). */
  readonly state: string;
  readonly acr?: AcrValue | undefined;
  /** Seconds that the last sign-in may be old. */
  readonly maxAge?: number | undefined;
  /** Lets the person choose another account than the one that is signed in. */
  readonly chooseAccount?: boolean | undefined;
}

/** The protocol's browser sessions, for the pages that are our own. */
export interface BrowserSessions {
  /** Reads the session of the browser's cookie and changes nothing; undefined when nobody is signed in. */
  current(ctx: Context): Promise<CurrentSession | undefined>;
  /**
   * Adds what a person proved to a page of ours just now to the session of this browser. Does nothing when nobody is
   * signed in.
   * @param proof.authTime they said again who they are: what was ended before it (seconds since the epoch) does not end
   * this session. Left out, the session stays as old as it is.
   * @param proof.method an `amr` value that was shown beside those of the sign-in; `acr` what all of them come to
   */
  renew(
    ctx: Context,
    proof: { readonly authTime?: number; readonly method?: string; readonly acr?: AcrValue },
  ): Promise<void>;
  /** A path of ours that signs the person in like for any app and ends at {@link consoleCallbackPath}. */
  signInUrl(wanted: ConsoleSignIn): string;
}

/** Builds the port. `current` is asked each time, because a key rotation replaces the provider. */
export const createBrowserSessions = (
  current: () => Provider,
  domains: OidcDomains,
  issuer: string,
): BrowserSessions => ({
  async current(ctx) {
    const session = await current().Session.get(ctx);
    if (!session.accountId || accessEnded(domains, session.accountId, session.loginTs ?? 0)) return undefined;
    return {
      uid: session.uid,
      accountId: asAccountId(session.accountId),
      amr: session.amr ?? [],
      ...(session.acr !== undefined && { acr: session.acr }),
      ...(session.loginTs !== undefined && { authTime: session.loginTs }),
    };
  },

  async renew(ctx, { authTime, method, acr }) {
    const session = await current().Session.get(ctx);
    const { accountId, amr = [], loginTs } = session;
    if (!accountId) return;
    const shown = method === undefined ? amr : [...amr.filter((name) => name !== 'mfa'), method];
    const level = acr ?? session.acr;
    session.loginAccount({
      accountId,
      loginTs: authTime ?? loginTs ?? 0,
      amr: [...new Set(level === 'aal2' ? [...shown, 'mfa'] : shown)],
      ...(level !== undefined && { acr: level }),
    });
    await session.persist();
  },

  signInUrl({ state, acr, maxAge, chooseAccount }) {
    const query = new URLSearchParams({
      client_id: consoleClientId,
      response_type: 'code',
      redirect_uri: `${issuer}${consoleCallbackPath}`,
      scope: 'openid',
      state,
      // The verifier is forgotten at once: the code is not for use.
      code_challenge: sha256(randomSecret()),
      code_challenge_method: 'S256',
      ...(acr !== undefined && { acr_values: acr }),
      ...(maxAge !== undefined && { max_age: String(maxAge) }),
      ...(chooseAccount && { prompt: 'select_account' }),
    });
    return `${protocolRoutes.authorization}?${query}`;
  },
});
