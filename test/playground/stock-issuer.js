import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { errors, Provider } from 'oidc-provider';
// @ts-expect-error no types: named here only so that the provider does not warn about it.
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
const apiIdentifier = 'https://notes.example';
const hour = 3600;
const configuration = (playgroundOrigin, key) => ({
    adapter: MemoryAdapter,
    jwks: { keys: [key] },
    ttl: {
        Interaction: hour,
        Session: hour,
        Grant: hour,
        AccessToken: hour,
        RefreshToken: hour,
        IdToken: hour,
        ClientCredentials: hour,
        DeviceCode: hour,
    },
    clients: [
        {
            client_id: 'playground',
            id_token_signed_response_alg: 'ES256',
            token_endpoint_auth_method: 'none',
            grant_types: ['authorization_code', 'refresh_token'],
            redirect_uris: [`${playgroundOrigin}/callback`],
            post_logout_redirect_uris: [`${playgroundOrigin}/`],
        },
        {
            client_id: 'machine',
            id_token_signed_response_alg: 'ES256',
            client_secret: 'secret & of=machine+'.repeat(2),
            grant_types: ['client_credentials'],
            redirect_uris: [],
            response_types: [],
        },
        {
            client_id: 'television',
            scope: 'openid profile',
            id_token_signed_response_alg: 'ES256',
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
        claimsParameter: { enabled: true },
        deviceFlow: { enabled: true },
        dPoP: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        rpInitiatedLogout: {
            logoutSource: async (ctx, form) => {
                ctx.body = `<body>${form}<button form="op.logoutForm" name="logout" value="yes">Yes</button></body>`;
            },
        },
        revocation: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
            enabled: true,
            useGrantedResource: () => true,
            getResourceServerInfo: (_ctx, resource) => {
                if (resource !== apiIdentifier)
                    throw new errors.InvalidTarget();
                return {
                    audience: resource,
                    scope: 'notes:read',
                    accessTokenFormat: 'jwt',
                    accessTokenTTL: 600,
                    jwt: { sign: { alg: 'ES256' } },
                };
            },
        },
    },
});
/** Starts oidc-provider as it comes, with its development pages, on `port` or a free one. */
export async function startStockIssuer(playgroundOrigin, port = 0) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: 'stock', alg: 'ES256', use: 'sig' };
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://localhost:${server.address().port}`;
    let handle;
    // The playground's origin is only known once it runs, so the clients are made with the first request.
    server.on('request', (req, res) => {
        handle ??= new Provider(issuer, configuration(playgroundOrigin(), key)).callback();
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
