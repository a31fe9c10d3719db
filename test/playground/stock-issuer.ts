import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Configuration, Provider } from 'oidc-provider';

/** An issuer that knows the playground's clients, and lets anybody in. */
export interface StockIssuer extends AsyncDisposable {
  readonly issuer: string;
  readonly apiIdentifier: string;
}

const apiIdentifier = 'https://notes.example';

const configuration = (playgroundOrigin: string): Configuration => ({
  clients: [
    {
      client_id: 'playground',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${playgroundOrigin}/callback`],
      post_logout_redirect_uris: [`${playgroundOrigin}/`],
    },
    {
      client_id: 'machine',
      client_secret: 'secret & of=machine+'.repeat(2),
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    {
      client_id: 'television',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  pkce: { required: () => true },
  cookies: { keys: ['a key for tests only'] },
  issueRefreshToken: async () => true,
  acrValues: ['aal1', 'aal2'],
  claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
  conformIdTokenClaims: false,
  findAccount: async (_ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@example.com`, name: 'Ann <b>Example</b>' }),
  }),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        audience: resource,
        scope: 'notes:read',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
      }),
    },
  },
});

/** Starts oidc-provider as it comes, with its development pages, on a free port. */
export async function startStockIssuer(playgroundOrigin: () => string): Promise<StockIssuer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  let handle: ReturnType<Provider['callback']> | undefined;
  // The playground's origin is only known once it runs, so the clients are made with the first request.
  server.on('request', (req, res) => {
    handle ??= new Provider(issuer, configuration(playgroundOrigin())).callback();
    void handle(req, res);
  });
  return {
    issuer,
    apiIdentifier,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
