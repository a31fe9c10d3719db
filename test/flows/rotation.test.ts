import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { KeyView } from '../../src/keys/index.ts';
import { createApi, createClient } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { type StoreLane, storeLanes } from '../support/store-lanes.ts';
import { CachingVerifier, Node } from './caching-verifier.ts';

/** Seconds, as an operator would set them, each as short as the schema allows beside the others. */
const times = {
  SALLYPORT_JWKS_MAX_AGE: '1',
  SALLYPORT_KEY_PUBLISH_SECONDS: '3',
  SALLYPORT_KEY_ROTATION_SECONDS: '3',
  SALLYPORT_ACCESS_TOKEN_SECONDS: '7',
  SALLYPORT_KEY_RETIRE_SECONDS: '7',
};
const algorithms = ['ES256', 'RS256', 'EdDSA'] as const;
const rotations = 20;
/** Milliseconds after which a token is verified again: by then its key has been replaced, and it still lives. */
const later = 4_500;

interface Issued {
  readonly token: string;
  readonly kid: string;
  readonly at: number;
}

interface World {
  readonly nodes: readonly Node[];
  readonly verifiers: readonly CachingVerifier[];
  /** It keeps the JWKS for too long and has to fail, or this test would notice nothing. */
  readonly careless: CachingVerifier;
  readonly failures: string[];
  /** Which nodes signed with a key. */
  readonly signers: Map<string, Set<number>>;
  readonly waiting: Issued[];
  readonly newest: Map<string, string>;
  checks: number;
  carelessFailures: number;
  checkedAfterHandover: number;
}

/** Two servers of one installation, with one client that may ask for tokens of each algorithm. */
async function startTwo(lane: StoreLane, stack: AsyncDisposableStack) {
  const env = { ...(await lane.env(stack)), ...times };
  const ports = [await freePort(), await freePort()];
  const issuer = `http://127.0.0.1:${ports[0]}`;
  const apps: RunningApp[] = [];
  for (const port of ports)
    apps.push(stack.use(await startApp({ ...env, PORT: String(port), SALLYPORT_ISSUER: issuer })));
  const [first] = apps as [RunningApp];
  const resources: string[] = [];
  for (const signingAlg of algorithms) resources.push(await createApi(first, { signingAlg }));
  const apis = Object.fromEntries(resources.map((resource) => [resource, ['notes:read']]));
  const { client, secret } = await createClient(first, { kind: 'machine', apis });
  const nodes = ports.map((port) => stack.adopt(new Node(port, issuer), (node) => node.close()));
  return { first, nodes, resources, authorization: `Basic ${btoa(`${client.id}:${secret}`)}` };
}

async function verify(world: World, { token, kid, at }: Issued): Promise<void> {
  for (const [index, verifier] of world.verifiers.entries()) {
    const problem = await verifier.problemOf(token);
    world.checks += 1;
    const age = Math.round(performance.now() - at);
    if (problem) world.failures.push(`kid ${kid}, ${age} ms old, JWKS of node ${index}: ${problem}`);
  }
}

/** Asks one node for tokens of one API, one after the other, until `over`. */
async function load(
  world: World,
  index: number,
  { resource, authorization, over }: { resource: string; authorization: string; over: () => boolean },
): Promise<void> {
  const form = { grant_type: 'client_credentials', scope: 'notes:read', resource };
  for (; !over(); await delay(25)) {
    const { status, text } = await (world.nodes[index] as Node).ask('/oauth2/token', form, authorization);
    if (status !== 200) throw new Error(`node ${index}: ${status} ${text}`);
    const { access_token: token } = JSON.parse(text) as { access_token: string };
    const { kid = '', alg = '' } = decodeProtectedHeader(token);
    world.signers.set(kid, (world.signers.get(kid) ?? new Set()).add(index));
    world.newest.set(alg, kid);
    const issued = { token, kid, at: performance.now() };
    await verify(world, issued);
    if (await world.careless.problemOf(token)) world.carelessFailures += 1;
    world.waiting.push(issued);
  }
}

/** Verifies every token once more, when most of their keys sign no longer. */
async function verifyAgain(world: World, over: () => boolean): Promise<void> {
  while (!over() || world.waiting.length > 0) {
    const [oldest] = world.waiting;
    if (!oldest || performance.now() - oldest.at < later) {
      await delay(20);
      continue;
    }
    world.waiting.shift();
    // On a machine that is too busy the test comes late, and then nobody would be shown this token.
    if (Date.now() >= (decodeJwt(oldest.token).exp ?? 0) * 1000) continue;
    if (![...world.newest.values()].includes(oldest.kid)) world.checkedAfterHandover += 1;
    await verify(world, oldest);
  }
}

/** Keys that took over from another one and were replaced themselves. */
async function rotated({ app }: RunningApp, from: number): Promise<KeyView[]> {
  const keys = await app.domains.keys.list({ removed: true });
  return keys.filter(({ state, since }) => (since.signing ?? 0) > from && ['retiring', 'removed'].includes(state));
}

// One lane, the one with most parts: the keys are in SQL either way, and it takes half a minute.
for (const lane of storeLanes().slice(1).slice(-1)) {
  describe(`twenty rotations of two servers under load, ${lane.name}`, function () {
    this.timeout(120_000);

    it('issue no token that a JWKS cached for its max-age cannot verify', async () => {
      await using stack = new AsyncDisposableStack();
      const { first, nodes, resources, authorization } = await startTwo(lane, stack);
      const began = Date.now();
      const world: World = {
        nodes,
        verifiers: nodes.map((node) => new CachingVerifier(node)),
        careless: new CachingVerifier(nodes[0] as Node, 5),
        failures: [],
        signers: new Map(),
        waiting: [],
        newest: new Map(),
        checks: 0,
        carelessFailures: 0,
        checkedAfterHandover: 0,
      };
      let done: KeyView[] = [];
      const over = (): boolean => done.length >= rotations;
      const count = async (): Promise<void> => {
        for (; !over(); await delay(250)) done = await rotated(first, began);
      };
      await Promise.all([
        count(),
        ...nodes.flatMap((_, index) =>
          resources.map((resource) => load(world, index, { resource, authorization, over })),
        ),
        verifyAgain(world, over),
      ]);

      expect(world.failures.length, world.failures.slice(0, 3).join('\n')).to.equal(0);
      expect(world.carelessFailures).to.be.above(0);
      for (const { kid, alg } of done)
        expect(world.signers.get(kid)?.size, `nodes that signed with ${alg} ${kid}`).to.equal(2);
      expect(world.checks).to.be.above(2_000);
      expect(world.checkedAfterHandover).to.be.above(world.checks / 8);
      if (process.env.TEST_LOG) {
        const { checks, checkedAfterHandover, carelessFailures, verifiers } = world;
        const seconds = (Date.now() - began) / 1000;
        process.stdout.write(
          `${JSON.stringify({ seconds, rotations: done.length, checks, checkedAfterHandover, carelessFailures, fetches: verifiers.map(({ fetches }) => fetches) })}\n`,
        );
      }
    });
  });
}

if (storeLanes().length === 1) {
  describe('twenty rotations of two servers under load', () => {
    it.skip('needs a database that two servers can share: DATABASE_URL, or PostgreSQL on the path');
  });
}
