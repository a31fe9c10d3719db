import * as oidc from 'openid-client';
import { expectPage, type Page, type WebClient } from './web-client.ts';

export interface Registration {
  readonly issuer: string;
  readonly clientId: string;
  readonly auth: oidc.ClientAuth;
  readonly redirectUri: string;
}

export interface Attempt {
  readonly url: URL;
  readonly checks: {
    readonly pkceCodeVerifier: string;
    readonly expectedState: string;
    readonly expectedNonce: string;
    readonly idTokenExpected: boolean;
  };
}

/** An app as third parties build them: `openid-client` and nothing of ours. */
export class RelyingParty {
  readonly config: oidc.Configuration;
  readonly redirectUri: string;

  private constructor(config: oidc.Configuration, redirectUri: string) {
    this.config = config;
    this.redirectUri = redirectUri;
  }

  static async discover({ issuer, clientId, auth, redirectUri }: Registration): Promise<RelyingParty> {
    const metadata = { id_token_signed_response_alg: 'ES256' };
    const config = await oidc.discovery(new URL(issuer), clientId, metadata, auth, {
      execute: [oidc.allowInsecureRequests],
    });
    return new RelyingParty(config, redirectUri);
  }

  /** A new authorization request with PKCE, state and nonce. */
  async request(parameters: Record<string, string> = {}): Promise<Attempt> {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
    const openid = (parameters.scope ?? 'openid').split(' ').includes('openid');
    const url = oidc.buildAuthorizationUrl(this.config, {
      redirect_uri: this.redirectUri,
      scope: 'openid',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state,
      ...(openid && { nonce }),
      ...parameters,
    });
    return { url, checks: { pkceCodeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: openid } };
  }

  /** Redeems the code in a callback URL; checks `state`, `iss`, `nonce` and the ID token as the library does. */
  redeem(
    callback: URL,
    { checks }: Attempt,
    parameters: Record<string, string> = {},
  ): ReturnType<typeof oidc.authorizationCodeGrant> {
    const { expectedNonce, ...rest } = checks;
    if (!callback.href.startsWith(this.redirectUri)) throw new Error(`not a callback: ${callback.href}`);
    return oidc.authorizationCodeGrant(
      this.config,
      callback,
      { ...rest, ...(rest.idTokenExpected && { expectedNonce }) },
      parameters,
    );
  }
}

/** Types a password on the login page. */
export function signIn(web: WebClient, page: Page, person: { login: string; password: string }): Promise<Page> {
  expectPage(page, 'login');
  return web.submit(page, { username: person.login, password: person.password, action: 'continue' }, 'username');
}

/** Presses "Allow". */
export function allow(web: WebClient, page: Page): Promise<Page> {
  expectPage(page, 'consent');
  return web.submit(page, { action: 'continue' }, 'action');
}
