// An API that takes tokens of its old home-made login and of Sallyport while people move. npm install jose
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from 'jose';

const { ISSUER = 'http://localhost:3000', PORT = '8081', OLD_JWT_SECRET = '', ACCOUNTS = 'accounts.csv' } = process.env;
const audience = 'https://orders.example.com';
const keys = createRemoteJWKSet(new URL(`${ISSUER}/oauth2/jwks`));
const oldSecret = new TextEncoder().encode(OLD_JWT_SECRET);
const keyTrouble = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];

// Which user of ours a `sub` is. In a real backend this is a column of its users table.
const rows = readFileSync(ACCOUNTS, 'utf8').trim().split('\n').slice(1);
const userIds = new Map(rows.map((row) => row.match(/^"(.*)",(.*)$/)).map(([, userId, sub]) => [sub, userId]));

/** The id of our user. The issuer that a token claims only chooses how it is verified: each way has its own keys. */
async function userOf(token) {
  if (decodeJwt(token).iss === ISSUER) {
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience, typ: 'at+jwt' });
    return userIds.get(payload.sub);
  }
  // The switch: without the secret, tokens of the old login are over.
  if (OLD_JWT_SECRET === '') return undefined;
  const { payload } = await jwtVerify(token, oldSecret, { algorithms: ['HS256'], requiredClaims: ['exp', 'sub'] });
  return String(payload.sub);
}

const server = createServer(async (req, res) => {
  const token = /^Bearer ([\w.-]+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '';
  try {
    const userId = await userOf(token);
    if (userId !== undefined) {
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ userId }));
      return;
    }
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || keyTrouble.includes(error.code)) {
      res.writeHead(503).end();
      return;
    }
  }
  res.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
});
server.listen(Number(PORT), 'localhost', () => console.log(`Listening on http://localhost:${PORT}`));
