// A web app: people sign in, the app keeps them in a session of its own. npm install openid-client
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import * as client from 'openid-client';

const { ISSUER = 'http://localhost:3000', CLIENT_ID = '', CLIENT_SECRET = '', PORT = '8080' } = process.env;
const origin = `http://localhost:${PORT}`;
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), {
  execute: ISSUER.startsWith('http:') ? [client.allowInsecureRequests] : [], // plain http on this machine only
});

const sessions = new Map(); // A real app has a store that expires them.

const server = createServer(async (req, res) => {
  const url = new URL(req.url, origin);
  const cookie = /(?:^|; )session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1];
  const session = sessions.get(cookie) ?? {};
  const go = (to) => res.writeHead(303, { location: to }).end();
  // A new id each time: one from before the sign-in is worth nothing after it.
  const keep = (data) => {
    const id = randomUUID();
    sessions.delete(cookie);
    sessions.set(id, data);
    res.setHeader('set-cookie', `session=${id}; Path=/; HttpOnly; SameSite=Lax`); // and Secure, on https
  };
  try {
    if (url.pathname === '/sign-in') {
      const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: `${origin}/callback`,
        scope: 'openid profile email',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      keep({ verifier, state, nonce });
      go(address.href);
    } else if (url.pathname === '/callback' && session.state) {
      const tokens = await client.authorizationCodeGrant(config, url, {
        pkceCodeVerifier: session.verifier,
        expectedState: session.state,
        expectedNonce: session.nonce,
      });
      const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
      keep({ user, idToken: tokens.id_token });
      go('/');
    } else if (url.pathname === '/sign-out' && req.method === 'POST') {
      sessions.delete(cookie);
      const back = { post_logout_redirect_uri: `${origin}/`, id_token_hint: session.idToken ?? '' };
      go(client.buildEndSessionUrl(config, back).href);
    } else {
      res.setHeader('content-type', 'text/html; charset=utf-8');
      const escape = (text) => String(text).replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
      res.end(
        session.user
          ? `<p>Hello ${escape(session.user.email)}</p><form method="post" action="/sign-out"><button>Sign out</button></form>`
          : '<a href="/sign-in">Sign in</a>',
      );
    }
  } catch (error) {
    console.error(error);
    res.writeHead(400).end('The sign-in did not work. Start again.');
  }
});
server.listen(Number(PORT), 'localhost', () => console.log(`Open ${origin}`));
