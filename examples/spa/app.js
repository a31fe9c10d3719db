// An app in the browser: no secret, tokens in memory only. npm install openid-client, and bundle as you like.
import * as client from 'openid-client';

const { issuer, clientId } = document.querySelector('main').dataset;
const redirectUri = `${location.origin}/callback`;
const config = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
  execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [], // plain http on this machine only
});

async function signIn() {
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  sessionStorage.setItem('sign-in', JSON.stringify({ verifier, state, nonce }));
  location.href = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }).href;
}

/** The tokens, when the browser has just come back from the sign-in. */
async function finishSignIn() {
  const address = new URL(location.href);
  const { verifier, state, nonce } = JSON.parse(sessionStorage.getItem('sign-in') ?? '{}');
  if (!address.searchParams.has('state') || !state) return undefined;
  sessionStorage.removeItem('sign-in');
  history.replaceState(null, '', '/'); // The code does not stay in the address bar.
  return client.authorizationCodeGrant(config, address, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
  });
}

const tokens = await finishSignIn().catch((error) => {
  document.querySelector('#problem').textContent = error.message;
});
if (tokens) {
  const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  document.querySelector('#who').textContent = user.email;
}
document.querySelector('#sign-in').addEventListener('click', signIn);
