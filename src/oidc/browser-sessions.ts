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

/** What a session says of how somebody signed in. */
export interface SessionProof {
  /** RFC 8176. */
  readonly amr: readonly string[];
  /** Seconds since the epoch. What was ended up to then does not end this session. */
  readonly authTime: number;
}

/** The same with what it comes to. */
export interface Proven extends SessionProof {
  readonly acr: AcrValue;
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
   * Gives the session of this browser, with the same name, what a person proved to a page of ours just now. Does nothing
   * when nobody is signed in. `proven` is told what the session says so far, also of one that was ended a moment ago.
   */
  renew(ctx: Context, proven: (before: SessionProof & { readonly accountId: AccountId }) => Proven): Promise<void>;
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

  async renew(ctx, proven) {
    const session = await current().Session.get(ctx);
    const { accountId, amr = [], loginTs = 0 } = session;
    if (!accountId) return;
    const now = proven({ accountId: asAccountId(accountId), amr, authTime: loginTs });
    session.loginAccount({ accountId, loginTs: now.authTime, amr: [...now.amr], acr: now.acr });
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
