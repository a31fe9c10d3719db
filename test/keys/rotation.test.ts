import { expect } from 'chai';
import { createLocalJWKSet, errors, importJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import type { Keys } from '../../src/keys/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes } from '../support/database.ts';
import { keysDatabase, node, policy } from './support.ts';

const maxAge = policy.jwksMaxAgeSeconds;
const tokenLife = policy.retireSeconds;

/** A service that caches the JWKS for so many seconds and never asks in between, whatever `kid` it sees. */
class Verifier {
  readonly #clock: FixedClock;
  readonly #seconds: number;
  #cached: { keys: ReturnType<typeof createLocalJWKSet>; at: number } | undefined;

  constructor(clock: FixedClock, seconds: number) {
    this.#clock = clock;
    this.#seconds = seconds;
  }

  async accepts(token: string, fetch: () => JSONWebKeySet): Promise<boolean> {
    const now = this.#clock.now();
    if (!this.#cached || now - this.#cached.at >= this.#seconds * 1000) {
      this.#cached = { keys: createLocalJWKSet(fetch()), at: now };
    }
    try {
      await jwtVerify(token, this.#cached.keys, { currentDate: new Date(now) });
      return true;
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
        return false;
      throw error;
    }
  }
}

const imported = new Map<string, ReturnType<typeof importJWK>>();

async function issue(keys: Keys, alg: string, clock: FixedClock): Promise<string> {
  const jwk = keys.current().signing.find((key) => key.alg === alg);
  if (!jwk) throw new Error(`no key for ${alg}`);
  const key = imported.get(jwk.kid) ?? importJWK(jwk);
  imported.set(jwk.kid, key);
  const seconds = Math.floor(clock.now() / 1000);
  // A verifier at the very end of the token's life is the hardest case for a retiring key.
  return new SignJWT({})
    .setProtectedHeader({ alg, kid: jwk.kid })
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + tokenLife)
    .sign(await key);
}

interface World {
  readonly clock: FixedClock;
  readonly nodes: readonly [Keys, Keys];
  readonly verifiers: readonly Verifier[];
  readonly issued: { readonly token: string; readonly at: number }[];
  step: number;
  failures: number;
  checks: number;
}

async function createWorld(database: Database, cacheSeconds: number): Promise<World> {
  const clock = new FixedClock();
  const nodes: [Keys, Keys] = [node(database, clock), node(database, clock)];
  for (const keys of nodes) await keys.prepare();
  const verifiers = Array.from({ length: 2 }, () => new Verifier(clock, cacheSeconds));
  return { clock, nodes, verifiers, issued: [], step: 0, failures: 0, checks: 0 };
}

async function check(world: World, token: string): Promise<void> {
  for (const [index, verifier] of world.verifiers.entries()) {
    // The load balancer sends a verifier now to one node and now to the other.
    const served = world.nodes[(world.step + index) % 2] ?? world.nodes[0];
    world.checks += 1;
    if (!(await verifier.accepts(token, () => served.current().public))) world.failures += 1;
  }
}

/** Half a second of traffic. Node 0 polls on even steps, node 1 on odd ones; `asleep` ones poll not at all. */
async function live(
  world: World,
  options: { asleep?: readonly number[]; issuing?: readonly number[] } = {},
): Promise<void> {
  world.step += 1;
  world.clock.advance(0.5);
  const polling = [world.step % 4 === 0 ? 0 : -1, world.step % 4 === 1 ? 1 : -1];
  for (const [index, keys] of world.nodes.entries()) {
    if (polling.includes(index) && !options.asleep?.includes(index)) await keys.tick();
  }
  for (const [index, keys] of world.nodes.entries()) {
    if (options.issuing && !options.issuing.includes(index)) continue;
    for (const alg of policy.algorithms) {
      const token = await issue(keys, alg, world.clock);
      world.issued.push({ token, at: world.clock.now() });
      await check(world, token);
    }
  }
  const old = world.clock.now() - (tokenLife - 1) * 1000;
  while (world.issued[0] && world.issued[0].at <= old) await check(world, world.issued.shift()?.token ?? '');
}

const removed = async (keys: Keys): Promise<number> =>
  (await keys.list({ removed: true })).filter(({ state }) => state === 'removed').length;

// Most of it is signing and verifying; what the stores have to do is in key-store.test.ts, on each of them.
for (const lane of sqlLanes().slice(-1)) {
  describe(`twenty rotations on two nodes, ${lane}`, function () {
    this.timeout(180_000);

    it('never issue a token that a cached JWKS cannot verify, up to the end of its life', async () => {
      const world = await createWorld(await keysDatabase(lane), maxAge);
      while ((await removed(world.nodes[0])) < 20 * policy.algorithms.length) await live(world);
      expect(world.failures).to.equal(0);
      expect(world.checks).to.be.above(6_000);
    });
  });
}

describe('the rotation test itself', function () {
  this.timeout(60_000);

  it('catches verifiers that cache for longer than the publish time', async () => {
    const world = await createWorld(await keysDatabase('pglite'), policy.publishSeconds + 6);
    while ((await removed(world.nodes[0])) < 3 * policy.algorithms.length) await live(world);
    expect(world.failures).to.be.above(0);
  });

  it('catches a node that serves from memory for longer than its health allows', async () => {
    let failures = 0;
    for (let offset = 0; offset < 40; offset += 10) {
      const world = await createWorld(await keysDatabase('pglite'), maxAge);
      for (let step = 0; step < 20 + offset; step += 1) await live(world);
      for (let step = 0; step < 40; step += 1) await live(world, { asleep: [1] });
      failures += world.failures;
    }
    expect(failures).to.be.above(0);
  });
});

describe('a node that does not poll', function () {
  this.timeout(60_000);

  it('loses its database for a while and serves on from memory: nothing fails while it calls itself ready', async () => {
    for (let offset = 0; offset < 40; offset += 6) {
      const world = await createWorld(await keysDatabase('pglite'), maxAge);
      for (let step = 0; step < 20 + offset; step += 1) await live(world);
      // Cut off at any point of a rotation for as long as health allows, then back.
      while (world.nodes[1].health().ready) await live(world, { asleep: [1] });
      await world.nodes[1].ensureFresh();
      expect(world.nodes[1].health().ready).to.equal(true);
      for (let step = 0; step < 20; step += 1) await live(world);
      expect(world.failures, `cut off ${offset / 2} s into the rotation`).to.equal(0);
    }
  });

  it('sleeps through whole rotations and must read before it signs: ensureFresh makes it', async () => {
    const world = await createWorld(await keysDatabase('pglite'), maxAge);
    const [awake, sleeper] = world.nodes;
    for (let step = 0; step < 10; step += 1) await live(world);
    const alone: World = { ...world, nodes: [awake, awake] };
    while ((await removed(awake)) < 3 * policy.algorithms.length) await live(alone, { issuing: [0] });

    const stale = sleeper.current().signing[0]?.kid;
    const shown = awake.current().public.keys.map(({ kid }) => kid);
    expect(shown, 'what it would sign with is gone, so the next lines matter').not.to.include(stale);
    expect(sleeper.health().ready).to.equal(false);
    await sleeper.ensureFresh();
    expect(sleeper.current()).to.deep.equal(awake.current());
    for (let step = 0; step < 40; step += 1) await live(world);
    expect(alone.failures + world.failures).to.equal(0);
  });
});
