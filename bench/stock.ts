// Stock oidc-provider with the least that makes it sign people in: on its built-in in-memory adapter, or on Redis when
// a URL is given after the library that hashes.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { type JWK, Provider } from 'oidc-provider';
import { loadHashing } from './hashing.ts';
import { readBody } from './read-body.ts';
import { stockRedisAdapter } from './stock-redis.ts';
import { addressOf, type Target, usage } from './target.ts';

const [, , port, library, redisUrl] = process.argv;
const origin = `http://127.0.0.1:${port}`;
const resource = 'https://api.bench.example';
const password = 'correct horse battery staple';
const hour = 3600;

async function signingKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), use: 'sig', alg: 'ES256', kid: 'bench' } as JWK;
}

const secret = (name: string): string => `${name}-secret-${'x'.repeat(32)}`;
const redirectUri = 'https://app.bench.example/callback';
const common = { id_token_signed_response_alg: 'ES256' as const };

const provider = new Provider(origin, {
  ...(redisUrl !== undefined && { adapter: stockRedisAdapter(redisUrl, String(process.pid)) }),
  jwks: { keys: [await signingKey()] },
  clients: [
    {
      ...common,
      client_id: 'machine',
      client_secret: secret('machine'),
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    {
      ...common,
      client_id: 'service',
      client_secret: secret('service'),
      grant_types: [],
      redirect_uris: [],
      response_types: [],
    },
    {
      ...common,
      client_id: 'web',
      client_secret: secret('web'),
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
    },
  ],
  cookies: { keys: ['a key for the benchmark'] },
  ttl: {
    AccessToken: 600,
    ClientCredentials: 600,
    IdToken: hour,
    RefreshToken: hour,
    Grant: hour,
    Session: hour,
    Interaction: hour,
  },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  async loadExistingGrant(ctx) {
    const { oidc } = ctx;
    const grant = new oidc.provider.Grant({
      clientId: oidc.client?.clientId ?? '',
      accountId: oidc.session?.accountId ?? '',
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        audience: resource,
        scope: 'read',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

const { hash, verify } = await loadHashing(library);
const known = await hash(password);
const page = '<form method="post"><input name="username"><input name="password" type="password"></form>';

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = page;
    return;
  }
  const form = new URLSearchParams(await readBody(ctx.req));
  if (!(await verify(known, form.get('password') ?? ''))) ctx.throw(401);
  ctx.respond = false;
  const login = { accountId: form.get('username') ?? '' };
  await provider.interactionFinished(ctx.req, ctx.res, { login, consent: {} });
});

const server = createServer(provider.callback()).listen(Number(port), '127.0.0.1');
await once(server, 'listening');

const target: Target = {
  origin,
  paths: { authorize: '/auth', token: '/token', introspect: '/token/introspection' },
  machine: { id: 'machine', secret: secret('machine') },
  service: { id: 'service', secret: secret('service') },
  web: { id: 'web', secret: secret('web'), redirectUri },
  resource,
  scope: 'read',
  people: Array.from({ length: 16 }, (_, index) => ({ login: `person-${index}`, password, address: addressOf(index) })),
};
process.on('message', () => process.send?.(usage()));
process.once('disconnect', () => process.exit(0));
process.send?.(target);
