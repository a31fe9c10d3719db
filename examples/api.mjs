// An API: it checks access tokens by itself, with the server's public keys. npm install jose
import { createServer } from 'node:http';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const { ISSUER = 'http://localhost:3000', PORT = '8081' } = process.env;
const audience = 'https://orders.example.com';
const keys = createRemoteJWKSet(new URL(`${ISSUER}/oauth2/jwks`));
const keyTrouble = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];

/** The claims of a good token that carries the scope, or the status and challenge to answer with (RFC 6750 §3). */
async function check(authorization = '', scope = '') {
  const token = /^Bearer ([\w.-]+)$/i.exec(authorization)?.[1];
  if (!token) return { status: 401, challenge: 'Bearer' };
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience, typ: 'at+jwt' });
    if (payload.scope?.split(' ').includes(scope)) return { claims: payload };
    return { status: 403, challenge: `Bearer error="insufficient_scope", scope="${scope}"` };
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || keyTrouble.includes(error.code)) return { status: 503 };
    return { status: 401, challenge: 'Bearer error="invalid_token"' };
  }
}

const server = createServer(async (req, res) => {
  const { claims, status, challenge } = await check(req.headers.authorization, 'orders.read');
  if (claims) {
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ orders: [], for: claims.sub }));
  } else {
    res.writeHead(status, challenge ? { 'www-authenticate': challenge } : {}).end();
  }
});
server.listen(Number(PORT), 'localhost', () => console.log(`Listening on http://localhost:${PORT}`));
