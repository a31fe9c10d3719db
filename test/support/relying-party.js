import * as oidc from 'openid-client';
import { expectPage } from './web-client.js';
/** An app as third parties build them: `openid-client` and nothing of ours. */
export class RelyingParty {
    config;
    redirectUri;
    constructor(config, redirectUri) {
        this.config = config;
        this.redirectUri = redirectUri;
    }
    static async discover({ issuer, clientId, auth, redirectUri }) {
        const metadata = { id_token_signed_response_alg: 'ES256' };
        const config = await oidc.discovery(new URL(issuer), clientId, metadata, auth, {
            execute: [oidc.allowInsecureRequests],
        });
        return new RelyingParty(config, redirectUri);
    }
    /** A new authorization request with PKCE, state and nonce. */
    async request(parameters = {}) {
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
    redeem(callback, { checks }, parameters = {}) {
        const { expectedNonce, ...rest } = checks;
        return oidc.authorizationCodeGrant(this.config, callback, { ...rest, ...(rest.idTokenExpected && { expectedNonce }) }, parameters);
    }
}
/** Types a password on the login page. */
export function signIn(web, page, person) {
    expectPage(page, 'login');
    return web.submit(page, { username: person.login, password: person.password, action: 'continue' }, 'username');
}
/** Presses "Allow". */
export function allow(web, page) {
    expectPage(page, 'consent');
    return web.submit(page, { action: 'continue' }, 'action');
}
