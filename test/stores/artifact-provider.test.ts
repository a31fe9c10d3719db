import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import compose from 'koa-compose';
import { Provider } from 'oidc-provider';
import { type ArtifactStores, tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { createRedisArtifactStores } from '../../src/oidc/artifact-store-redis.ts';
import { createSqlArtifactStores } from '../../src/oidc/artifact-store-sql.ts';
import { createSqlUseMarks } from '../../src/oidc/artifact-uses-sql.ts';
import type { Database } from '../../src/storage/database.ts';
import type { RedisConnection } from '../../src/storage/redis.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';
import { openPatiently } from '../support/redis.ts';
import { fifty, secrets } from './artifact-lane.ts';

const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const policy = { refreshRetrySeconds: 10, isStrict: async () => false };
const redirectUri = 'https://app.example/callback';
/** Milliseconds that our stores are ahead of the library. */
let ahead = 0;
const clock = { now: () => Date.now() + ahead };

/** The library with our stores and nothing else of ours, so that what fails here is between these two. */
function buildProvider(stores: ArtifactStores): Provider {
  const provider = new Provider('http://op.example', {
    adapter: ((model: string) => stores(model)) as never,
    clients: ['app_a', 'app_b'].map((id) => ({
      client_id: id,
      token_endpoint_auth_method: 'none',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    })),
    cookies: { long: { signed: false }, short: { signed: false }, keys: ['k'] },
    features: { devInteractions: { enabled: false } },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 60,
      Interaction: 60,
      RefreshToken: 600,
      Session: 600,
    },
    scopes: ['openid'],
    findAccount: async (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
    async loadExistingGrant(ctx) {
      const { session, client } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({ accountId: session!.accountId!, clientId: client!.clientId });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  });
  for (const kind of ['AccessToken', 'RefreshToken', 'AuthorizationCode'] as const) {
    const model = provider[kind].prototype as unknown as {
      generateTokenId(this: { grantId: string; format: string }): string;
    };
    model.generateTokenId = function generateTokenId() {
      this.format = 'opaque';
      return tokenIdFor(kind, this.grantId);
    };
  }
  return provider;
}

/** Serves it, with each request to the token endpoint as one unit of work. Interactions sign `acc_1` in at once. */
async function serve(provider: Provider, database: Database): Promise<Server> {
  const app = new Koa();
  app.keys = ['k'];
  app.silent = true;
  app.use(async (ctx, next) => {
    if (ctx.path.startsWith('/interaction/')) {
      ctx.redirect(
        await provider.interactionResult(ctx.req, ctx.res, { login: { accountId: 'acc_1', ts: 1_700_000_000 } }),
      );
      return;
    }
    if (ctx.path !== '/token') return next();
    await database.unitOfWork(clock.now(), next, () => ctx.status < 500);
  });
  app.use(compose(provider.middleware));
  const server = createServer(app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

type Tokens = { refresh_token: string; access_token: string; error?: string };

function describeProvider(open: () => Promise<{ stores: ArtifactStores; database: Database }>): void {
  let provider: Provider;
  let server: Server;
  let origin: string;

  before(async function () {
    if (this.test?.parent?.pending) return;
    const { stores, database } = await open();
    provider = buildProvider(stores);
    server = await serve(provider, database);
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server?.close());

  const token = async (body: Record<string, string>) => {
    const response = await fetch(`${origin}/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'app_a', ...body }),
    });
    return { status: response.status, body: (await response.json()) as Tokens };
  };
  const redeem = (code: string, clientId = 'app_a') =>
    token({
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
      client_id: clientId,
    });
  const refresh = (value: string) => token({ grant_type: 'refresh_token', refresh_token: value });
  const userinfo = async (value: string) =>
    (await fetch(`${origin}/me`, { headers: { authorization: `Bearer ${value}` } })).status;

  /** A code as the authorization endpoint makes it, outside of any session. */
  const newCode = async (): Promise<string> => {
    const client = (await provider.Client.find('app_a'))!;
    const grant = new provider.Grant({ accountId: 'acc_1', clientId: 'app_a' });
    grant.addOIDCScope('openid');
    const grantId = await grant.save();
    const code = new provider.AuthorizationCode({
      client,
      accountId: 'acc_1',
      grantId,
      redirectUri,
      scope: 'openid',
      codeChallenge: challenge,
      codeChallengeMethod: 'S256',
    } as never);
    return code.save();
  };

  /** Stores a browser session and returns its cookie. */
  const newSession = async (payload: object): Promise<string> => {
    type Session = new (payload: object) => { id: string; save(ttl: number): Promise<unknown> };
    const session = new (provider.Session as unknown as Session)(payload);
    await session.save(600);
    return `_session=${session.id}`;
  };

  const authorize = (clientId: string, cookie: string, more: Record<string, string> = {}) =>
    fetch(
      `${origin}/auth?${new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid',
        state: 's',
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...more,
      })}`,
      { redirect: 'manual', headers: { cookie } },
    );
  const codeOf = (response: Response): string =>
    new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const cookiesOf = (response: Response): string[] =>
    response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');

  /** Follows a sign-in from an authorization request to its code; returns the cookies it was given on the way. */
  const signIn = async (cookie: string) => {
    const first = await authorize('app_a', cookie);
    const jar = new Map(
      [cookie, ...cookiesOf(first)].filter(Boolean).map((pair) => pair.split('=') as [string, string]),
    );
    const header = () => ({ cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') });
    const page = await fetch(new URL(first.headers.get('location') ?? '', origin), {
      redirect: 'manual',
      headers: header(),
    });
    const resumed = await fetch(new URL(new URL(page.headers.get('location') ?? '', origin).pathname, origin), {
      redirect: 'manual',
      headers: header(),
    });
    return { code: codeOf(resumed), session: cookiesOf(resumed).find((pair) => pair.startsWith('_session=')) ?? '' };
  };

  it('redeems one of 50 parallel requests with one code, and leaves nothing that works', async () => {
    const code = await newCode();
    const answers = await Promise.all(fifty(() => redeem(code)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).to.have.length(1);
    const others = answers
      .filter((answer) => !winners.includes(answer))
      .map(({ status, body }) => `${status} ${body.error}`);
    expect(others).to.deep.equal(Array.from({ length: 49 }, () => '400 invalid_grant'));
    expect(await userinfo(winners[0]!.body.access_token)).to.equal(401);
    expect((await refresh(winners[0]!.body.refresh_token)).body.error).to.equal('invalid_grant');
  });

  it('revokes what a code gave when it comes again later', async () => {
    const code = await newCode();
    const { body } = await redeem(code);
    expect(await userinfo(body.access_token)).to.equal(200);
    expect((await redeem(code)).body.error).to.equal('invalid_grant');
    expect(await userinfo(body.access_token)).to.equal(401);
    expect((await refresh(body.refresh_token)).status).to.equal(400);
  });

  it('refreshes one of 50 parallel requests, and its chain goes on', async () => {
    const { body } = await redeem(await newCode());
    const answers = await Promise.all(fifty(() => refresh(body.refresh_token)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).to.have.length(1);
    expect(answers.filter(({ status, body: { error } }) => status === 400 && error === 'invalid_grant')).to.have.length(
      49,
    );
    const next = await refresh(winners[0]!.body.refresh_token);
    expect(next.status).to.equal(200);
    expect(await userinfo(next.body.access_token)).to.equal(200);
  });

  it('gives a client whose answer got lost another one, and ends the family at a reuse', async () => {
    const { body } = await redeem(await newCode());
    const unheard = await refresh(body.refresh_token);
    // Who comes at once cannot have missed the answer yet.
    ahead += 150;
    const heard = await refresh(body.refresh_token);
    expect([unheard.status, heard.status]).to.deep.equal([200, 200]);
    const next = await refresh(heard.body.refresh_token);
    expect(next.status).to.equal(200);
    expect((await refresh(body.refresh_token)).status).to.equal(400);
    expect((await refresh(next.body.refresh_token)).status).to.equal(400);
    expect(await userinfo(next.body.access_token)).to.equal(401);
  });

  it('signs in to two apps at the same moment in one browser, eight times', async () => {
    for (let round = 0; round < 8; round += 1) {
      const cookie = await newSession({ accountId: 'acc_1', loginTs: 1_700_000_000 });
      const [a, b] = await Promise.all([
        authorize('app_a', cookie, { prompt: 'none' }),
        authorize('app_b', cookie, { prompt: 'none' }),
      ]);
      const answers = await Promise.all([redeem(codeOf(a!)), redeem(codeOf(b!), 'app_b')]);
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200]);
      const lives = await Promise.all(answers.map(({ body }) => userinfo(body.access_token)));
      expect(lives).to.deep.equal([200, 200]);
    }
  });

  it('gives a signed-in session an id that nobody knew before', async () => {
    const planted = await newSession({ uid: randomUUID() });
    const { code, session } = await signIn(planted);
    expect(session).not.to.equal(planted);
    expect((await redeem(code)).status).to.equal(200);
    const silent = (cookie: string) =>
      authorize('app_b', cookie, { prompt: 'none' }).then((answer) => answer.headers.get('location'));
    expect(await silent(session)).to.contain('code=');
    expect(await silent(planted)).to.contain('error=login_required');
  });
}

for (const lane of everySqlLane()) {
  describe(`oidc-provider on artifacts in SQL on ${lane}`, () => {
    describeProvider(async () => {
      const database = await testDatabase(lane);
      return { database, stores: createSqlArtifactStores({ database, secrets, clock, policy }) };
    });
  });
}

(process.env.TEST_REDIS_URL ? describe : describe.skip)('oidc-provider on artifacts in Redis', () => {
  let redis: RedisConnection;
  after(() => redis?.[Symbol.asyncDispose]());
  describeProvider(async () => {
    const database = await testDatabase();
    redis = await openPatiently(process.env.TEST_REDIS_URL ?? '');
    const options = { secrets, clock, policy };
    const replay = createSqlArtifactStores({ ...options, database })('ReplayDetection');
    return {
      database,
      stores: createRedisArtifactStores({ ...options, redis, replay, uses: createSqlUseMarks(database) }),
    };
  });
});
