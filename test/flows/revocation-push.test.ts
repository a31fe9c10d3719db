import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { everythingId } from '../../src/revocation/index.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;
const { TEST_DATABASE_URL: sql, TEST_REDIS_URL: hasRedis } = process.env;

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

/** Everything that a Redis has, put aside as a backup or a replica that lags would. */
async function copyOf(redis: Redis) {
  const kept: { key: string; life: number; data: Buffer }[] = [];
  for (const key of await redis.keys('*')) {
    const [life, data] = [await redis.pttl(key), await redis.dumpBuffer(key)];
    if (data) kept.push({ key, life: Math.max(0, life), data });
  }
  return async (): Promise<void> => {
    await redis.flushall();
    for (const { key, life, data } of kept) await redis.restore(key, life, data);
  };
}

(sql && hasRedis ? describe : describe.skip)(
  'what ends on one node, on another and after the loss of Redis',
  function () {
    this.timeout(90_000);
    const stack = new AsyncDisposableStack();
    let one: RunningApp;
    let other: RunningApp;
    let otherPort: number;
    let redis: Redis;
    let party: RelyingParty;
    let app: { client: { id: string }; secret: string };
    let service: typeof app;
    let machine: typeof app;
    let jwtApi: string;
    let opaqueApi: string;

    before(async () => {
      const server = stack.use(await startRedis());
      const { url } = stack.use(await createTestDatabase(sql ?? ''));
      const env = { DATABASE_URL: url, REDIS_URL: server.url, SALLYPORT_LIMIT_REFRESH: '1000' };
      one = stack.use(await startApp(env));
      otherPort = await freePort();
      // Behind one address, as a load balancer has them.
      other = stack.use(await startApp({ ...env, PORT: String(otherPort), SALLYPORT_ISSUER: one.url }));
      redis = new Redis(server.url);
      stack.defer(() => void redis.disconnect());
      jwtApi = await createApi(one);
      opaqueApi = await createApi(one, { tokenFormat: 'opaque' });
      const apis = { [jwtApi]: ['notes:read'], [opaqueApi]: ['notes:read'] };
      const metadata = { redirect_uris: [redirectUri] };
      app = await createClient(one, { kind: 'web', firstParty: true, apis, metadata });
      service = await createClient(one, { kind: 'service', mayIntrospect: true });
      machine = await createClient(one, { kind: 'machine', apis });
      const auth = oidc.ClientSecretBasic(app.secret);
      party = await RelyingParty.discover({ issuer: one.url, clientId: app.client.id, auth, redirectUri });
    });
    after(() => stack.disposeAsync());

    const basic = ({ client, secret }: typeof app) => `Basic ${btoa(`${client.id}:${secret}`)}`;
    /** A request to the other node, under the address that both have. */
    const ask = (path: string, authorization: string, fields?: Record<string, string>): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const headers = { host: new URL(one.url).host, authorization };
        const form = fields && new URLSearchParams(fields).toString();
        const type = { 'content-type': 'application/x-www-form-urlencoded' };
        const outgoing = request(
          { port: otherPort, host: '127.0.0.1', path, method: form ? 'POST' : 'GET', headers: { ...headers, ...type } },
          (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk: string) => {
              text += chunk;
            });
            response.on('end', () => {
              resolve({ status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : {} });
            });
          },
        );
        outgoing.on('error', reject).end(form);
      });
    const isActive = async (token: string): Promise<unknown> =>
      (await ask('/oauth2/introspect', basic(service), { token })).body.active;
    const refresh = async (token: string): Promise<number> =>
      (await ask('/oauth2/token', basic(app), { grant_type: 'refresh_token', refresh_token: token })).status;
    const userinfo = async (token: string): Promise<number> =>
      (await ask('/oauth2/userinfo', `Bearer ${token}`)).status;
    const machineToken = async (resource: string): Promise<string> => {
      const fields = { grant_type: 'client_credentials', resource, scope: 'notes:read' };
      return String((await ask('/oauth2/token', basic(machine), fields)).body.access_token);
    };

    /** A browser at the first node, with a token of each kind. */
    async function browser(person: Person) {
      const web = new WebClient(one.url);
      const enter = async (resource?: string) => {
        const scope = resource ? 'openid notes:read' : 'openid';
        const attempt = await party.request({ scope, ...(resource && { resource }) });
        const page = await web.open(attempt.url);
        const back = page.name === 'login' ? await signIn(web, page, person) : page;
        return party.redeem(back.url, attempt, resource ? { resource } : {});
      };
      const [own, jwt, opaque] = [await enter(), await enter(jwtApi), await enter(opaqueApi)];
      expect(decodeJwt(jwt.access_token).aud).to.equal(jwtApi);
      const state = async () => ({
        own: await userinfo(own.access_token),
        jwt: await isActive(jwt.access_token),
        opaque: await isActive(opaque.access_token),
        refreshToken: await isActive(own.refresh_token ?? ''),
        silent: (await web.open((await party.request({ prompt: 'none' })).url)).url.searchParams.get('error') ?? 'in',
      });
      return { state, refresh: () => refresh(own.refresh_token ?? ''), jwt: jwt.access_token };
    }
    const good = { own: 200, jwt: true, opaque: true, refreshToken: true, silent: 'in' };
    const dead = { own: 401, jwt: false, opaque: false, refreshToken: false, silent: 'login_required' };

    async function within(milliseconds: number, check: () => boolean | Promise<boolean>): Promise<number> {
      const start = performance.now();
      while (!(await check())) {
        if (performance.now() - start > milliseconds) throw new Error(`it took more than ${milliseconds} ms`);
        await delay(2);
      }
      return performance.now() - start;
    }

    it('a session with its refresh tokens, opaque tokens and JWTs, within a second, and for good', async () => {
      const [person, bystander] = [await createPerson(one), await createPerson(one)];
      const [ended, untouched] = [await browser(person), await browser(bystander)];
      expect(await ended.state()).to.deep.equal(good);
      const restore = await copyOf(redis);

      const [session] = await one.app.domains.sessions.list(person.account.id);
      expect(await one.app.domains.sessions.end(session?.id ?? '', operator)).to.equal(true);
      const issuedAt = (decodeJwt(ended.jwt).iat ?? 0) * 1000;
      const grant = [{ kind: 'grant', id: String(decodeJwt(ended.jwt).grant_id), issuedAt }] as const;
      await within(1000, () => other.app.domains.revocations.isRevokedCached(grant));
      expect(await ended.state()).to.deep.equal(dead);
      expect(await ended.refresh()).to.equal(400);
      expect(await untouched.state()).to.deep.equal(good);

      // A Redis that comes back with what it had before brings nothing back.
      await restore();
      expect(await ended.state()).to.deep.equal(dead);
      expect(await ended.refresh()).to.equal(400);
      expect(await untouched.state()).to.deep.equal(good);

      await redis.flushall();
      expect(await ended.state()).to.deep.equal(dead);
      expect(await ended.refresh()).to.equal(400);
    });

    it('a machine token that its client revoked, opaque or JWT, and no other one', async () => {
      const [opaque, jwt, kept] = [
        await machineToken(opaqueApi),
        await machineToken(jwtApi),
        await machineToken(jwtApi),
      ];
      const restore = await copyOf(redis);
      for (const token of [opaque, jwt]) {
        expect(await isActive(token)).to.equal(true);
        expect((await ask('/oauth2/revoke', basic(machine), { token })).status).to.equal(200);
        expect(await isActive(token)).to.equal(false);
      }
      await restore();
      expect([await isActive(opaque), await isActive(jwt), await isActive(kept)]).to.deep.equal([false, false, true]);
    });

    it('all tokens of one app, of one API, and everything before a moment', async () => {
      const { revocations } = one.app.domains;
      const person = await createPerson(one);
      const visitor = await browser(person);
      const machines = { opaque: await machineToken(opaqueApi), jwt: await machineToken(jwtApi) };
      const revoke = async (kind: 'api' | 'client' | 'everything', id: string): Promise<void> => {
        await revocations.revoke({ kind, id, reason: 'test', by: operator });
        const check = [{ kind, id, issuedAt: Date.now() - 2000 }] as const;
        await within(1000, () => other.app.domains.revocations.isRevokedCached(check));
      };
      await revoke('api', opaqueApi);
      expect(await isActive(machines.opaque)).to.equal(false);
      expect(await isActive(machines.jwt)).to.equal(true);
      expect(await visitor.state()).to.deep.equal({ ...good, opaque: false });

      await revoke('client', machine.client.id);
      expect(await isActive(machines.jwt)).to.equal(false);
      expect(await visitor.state()).to.deep.equal({ ...good, opaque: false });
      await revoke('client', app.client.id);
      expect(await visitor.state()).to.deep.equal({ ...dead, silent: 'in' });
      expect(await visitor.refresh()).to.equal(400);

      // Tokens have whole seconds, so one of this second is taken for one from before it.
      await delay(1050);
      const again = await browser(person);
      const fresh = await machineToken(jwtApi);
      expect(await again.state()).to.deep.equal(good);
      await revoke('everything', everythingId);
      expect(await again.state()).to.deep.equal(dead);
      expect(await again.refresh()).to.equal(400);
      expect(await isActive(fresh)).to.equal(false);
      await delay(1050);
      expect(await (await browser(person)).state()).to.deep.equal(good);
      expect(await isActive(await machineToken(jwtApi))).to.equal(true);
    });
  },
);
