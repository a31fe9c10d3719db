import { expect } from 'chai';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Loss, losses } from './redis-losses.ts';
import { createRedisWorld } from './redis-world.ts';

const operator = { kind: 'operator' } as const;
const { TEST_DATABASE_URL: sql, TEST_REDIS_URL: hasRedis } = process.env;
const everything = ['own', 'jwt', 'opaque', 'account'];

(sql && hasRedis ? describe : describe.skip)('what ended stays ended when the process of Redis is lost', function () {
  this.timeout(60_000);
  const stack = new AsyncDisposableStack();
  let server: RedisServer;
  let world: Awaited<ReturnType<typeof createRedisWorld>>;

  before(async () => {
    server = await startRedis();
    stack.defer(() => server.stop());
    world = await createRedisWorld(stack, sql ?? '', server.url);
  });
  after(() => stack.disposeAsync());

  const refresh = (refresh_token: string, node = 1, app = world.app) =>
    world.token(node, app, { grant_type: 'refresh_token', refresh_token });
  const successorOf = async (...given: Parameters<typeof refresh>): Promise<string> => {
    const { status, json } = await refresh(...given);
    expect(status).to.equal(200);
    return json.refresh_token;
  };
  const machineToken = async (resource: string): Promise<string> => {
    const fields = { grant_type: 'client_credentials', resource, scope: 'notes:read' };
    return (await world.token(0, world.machine, fields)).json.access_token;
  };

  /** People, apps and keys before anything ends. */
  async function settleIn() {
    const [jwt, opaque] = [await machineToken(world.apis.jwtApi), await machineToken(world.apis.opaqueApi)];
    const kept = await world.enter(everything);
    const { id } = kept.person.account;
    const [replayed, raced] = [await world.enter(['own']), await world.enter(['own'])];
    return {
      ended: await world.enter(everything),
      late: await world.enter(['own', 'opaque']),
      returned: await world.enter(['own']),
      strict: await world.enter(['own'], 'strict'),
      kept,
      replayed,
      machines: { jwt, opaque },
      keys: { kept: await world.createKey(id), ended: await world.createKey(id) },
      raced,
      code: await world.code(replayed.web, replayed.person),
      racedCode: await world.code(raced.web, raced.person),
      assertion: await world.assertion(),
    };
  }
  type Settled = Awaited<ReturnType<typeof settleIn>>;

  /** Ends everything that will be looked for afterwards, and uses up what may be used once. */
  async function end({ ended, returned, machines, keys, code, racedCode, assertion, kept, strict }: Settled) {
    expect(await world.endSession(ended.person.account.id)).to.equal(true);
    for (const token of Object.values(machines)) {
      expect((await world.revoke(world.machine, token)).status).to.equal(200);
    }
    expect((await world.revoke(world.app, returned.refreshToken)).status).to.equal(200);
    await world.one.app.domains.apiKeys.revoke(keys.ended.key.id, operator);
    expect((await world.token(1, undefined, assertion)).status).to.equal(200);
    await Promise.all([0, 1, 0, 1, 0, 1].map((node) => world.token(node, world.app, racedCode)));
    const redeemed = await world.token(1, world.app, code);
    expect(redeemed.status).to.equal(200);
    return {
      ofCode: String(redeemed.json.access_token),
      successor: await successorOf(kept.refreshToken),
      strictSuccessor: await successorOf(strict.refreshToken, 1, world.strictApp),
    };
  }

  async function expectAway(token: string, refreshToken: string): Promise<void> {
    const asked = await world.both('/oauth2/userinfo', { authorization: `Bearer ${token}` });
    for (const { status, headers } of [...asked, await refresh(refreshToken)]) {
      expect([status, Number(headers['retry-after']) > 0]).to.deep.equal([503, true]);
    }
  }

  async function expectEnded({ ended, late, returned, raced, machines, keys }: Settled): Promise<void> {
    const refreshTokens = [ended, late, returned, raced].map(({ refreshToken }) => refreshToken);
    const dead: [string, string][] = [
      ...Object.entries({ ...ended.tokens }),
      ...Object.entries({ ...late.tokens }),
      ...Object.entries(machines),
      ['own', returned.tokens.own ?? ''],
      ['own', raced.tokens.own ?? ''],
      ...refreshTokens.map((token): [string, string] => ['refresh', token]),
      ['key', keys.ended.text],
    ];
    for (const [name, token] of dead) expect(await world.standing(name, token), name).to.deep.equal(['false']);
    for (const token of refreshTokens) {
      expect([(await refresh(token, 0)).status, (await refresh(token, 1)).status]).to.deep.equal([400, 400]);
    }
    for (const { web } of [ended, late]) {
      expect(await world.silent(web)).to.deep.equal(['login_required', 'login_required']);
    }
  }

  async function expectUsed({ code, assertion, strict, replayed }: Settled, ofCode: string, strictSuccessor: string) {
    expect((await world.token(0, world.app, code)).status, 'a code').to.equal(400);
    for (const token of [ofCode, replayed.tokens.own ?? '']) {
      expect(await world.standing('own', token), 'what came of it').to.deep.equal(['false']);
    }
    expect((await world.token(0, undefined, assertion)).status, 'an assertion').to.equal(401);
    expect((await refresh(strict.refreshToken, 0, world.strictApp)).status, 'a refresh token').to.equal(400);
    expect((await refresh(strictSuccessor, 0, world.strictApp)).status, 'its family').to.equal(400);
  }

  /** Nothing fails; what Redis had kept goes on, and the rest asks for a sign-in. */
  async function expectKept({ keeps }: Loss, { kept, keys }: Settled, successor: string): Promise<void> {
    const has = keeps !== 'nothing';
    for (const [name, token] of Object.entries(kept.tokens)) {
      expect(await world.standing(name, token), name).to.deep.equal([String(has)]);
    }
    expect(await world.silent(kept.web)).to.deep.equal(Array(2).fill(has ? 'in' : 'login_required'));
    expect(await world.standing('key', keys.kept.text)).to.deep.equal(['true']);
    expect((await refresh(successor, 0)).status).to.equal(keeps === 'everything' ? 200 : 400);
    // An older copy has not heard that it was used: docs/ending-access.md says so, and what prevents it.
    expect((await refresh(kept.refreshToken, 0)).status).to.equal(keeps === 'what it had' ? 200 : 400);
  }

  for (const loss of losses(stack)) {
    it(`by ${loss.name}`, async () => {
      await server.stop();
      server = await startRedis({ port: server.port, arguments: loss.arguments });
      await world.untilBack();
      const all = await settleIn();
      await loss.mark(server);
      const { ofCode, successor, strictSuccessor } = await end(all);

      await server.crash();
      await expectAway(all.kept.tokens.own ?? '', successor);
      expect(await world.endSession(all.late.person.account.id), 'while Redis is away').to.equal(true);
      await loss.comeBack(server);
      await world.untilBack();

      await expectEnded(all);
      await expectUsed(all, ofCode, strictSuccessor);
      await expectKept(loss, all, successor);
      const again = await world.enter(everything);
      for (const [name, token] of Object.entries(again.tokens)) {
        expect(await world.standing(name, token), name).to.deep.equal(['true']);
      }
      await successorOf(again.refreshToken);
    });
  }
});
