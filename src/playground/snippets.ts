const text = (value: string): string =>
  `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;

interface Connection {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
}

/** What the exchange of a code is checked against. */
interface RedeemValues {
  readonly answer: string;
  readonly verifier: string;
  readonly state: string;
  readonly nonce?: string;
  readonly maxAge?: number;
  readonly resource?: string;
}

const object = (fields: Readonly<Record<string, string>>, indent = '  '): string => {
  const lines = Object.entries(fields).map(([name, value]) => `${indent}${name}: ${value},\n`);
  return lines.length > 0 ? `{\n${lines.join('')}${indent.slice(2)}}` : '{}';
};

const strings = (fields: Readonly<Record<string, string>>): string =>
  object(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, text(value)])));

function connect({ issuer, clientId, clientSecret }: Connection): string {
  const authentication =
    clientSecret === undefined ? 'client.None()' : `client.ClientSecretBasic(${text(clientSecret)})`;
  const insecure = issuer.startsWith('http:')
    ? `, {\n  execute: [client.allowInsecureRequests], // plain http: this machine only\n}`
    : '';
  return `import * as client from 'openid-client';

const config = await client.discovery(new URL(${text(issuer)}), ${text(clientId)}, undefined, ${authentication}${insecure});
`;
}

/** Code with openid-client that does what a step of the playground did. Each stands alone, as a module. */
export const codeFor = {
  authorize(connection: Connection, parameters: Readonly<Record<string, string>>, pushed: boolean): string {
    const {
      client_id: _id,
      response_type: _type,
      state: _state,
      nonce: _nonce,
      code_challenge: _challenge,
      ...rest
    } = parameters;
    const fields = {
      ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, text(value)])),
      state: 'state',
      nonce: 'nonce',
      code_challenge: 'await client.calculatePKCECodeChallenge(verifier)',
    };
    const build = pushed ? 'await client.buildAuthorizationUrlWithPAR' : 'client.buildAuthorizationUrl';
    return `${connect(connection)}
// Keep these three in the browser's session until it comes back.
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();

const url = ${build}(config, ${object(fields)});
// Redirect the browser to url.href.
`;
  },

  redeem(connection: Connection, run: RedeemValues): string {
    const checks = {
      pkceCodeVerifier: text(run.verifier),
      expectedState: text(run.state),
      ...(run.nonce !== undefined && { expectedNonce: text(run.nonce) }),
      ...(run.maxAge !== undefined && { maxAge: String(run.maxAge) }),
    };
    const resource = run.resource === undefined ? '' : `, { resource: ${text(run.resource)} }`;
    return `${connect(connection)}
const address = new URL(${text(run.answer)});
const tokens = await client.authorizationCodeGrant(config, address, ${object(checks)}${resource});
console.log(tokens.claims(), tokens.access_token, tokens.refresh_token);
`;
  },

  userinfo: (connection: Connection, accessToken: string, subject: string): string => `${connect(connection)}
const user = await client.fetchUserInfo(config, ${text(accessToken)}, ${text(subject)});
console.log(user);
`,

  refresh: (connection: Connection, refreshToken: string): string => `${connect(connection)}
const tokens = await client.refreshTokenGrant(config, ${text(refreshToken)});
console.log(tokens.access_token, tokens.refresh_token); // keep the new refresh token, the old one is used up
`,

  introspect: (connection: Connection, token: string): string => `${connect(connection)}
const answer = await client.tokenIntrospection(config, ${text(token)});
console.log(answer.active, answer);
`,

  revoke: (connection: Connection, token: string): string => `${connect(connection)}
await client.tokenRevocation(config, ${text(token)});
`,

  machine: (connection: Connection, parameters: Readonly<Record<string, string>>): string => `${connect(connection)}
const tokens = await client.clientCredentialsGrant(config, ${strings(parameters)});
console.log(tokens.access_token);
`,

  device: (connection: Connection, scope: string): string => `${connect(connection)}
const device = await client.initiateDeviceAuthorization(config, { scope: ${text(scope)} });
console.log(\`Open \${device.verification_uri} and enter \${device.user_code}\`);
const tokens = await client.pollDeviceAuthorizationGrant(config, device);
console.log(tokens.access_token);
`,

  /** A service that checks JWT access tokens without asking the server, with jose. */
  verify: (
    issuer: string,
    jwksUri: string,
    audience: string,
    token: string,
  ): string => `import { createRemoteJWKSet, jwtVerify } from 'jose';

const keys = createRemoteJWKSet(new URL(${text(jwksUri)}));
const { payload } = await jwtVerify(${text(token)}, keys, {
  issuer: ${text(issuer)},
  audience: ${text(audience)},
  typ: 'at+jwt',
});
console.log(payload.sub, payload.scope);
`,
};
