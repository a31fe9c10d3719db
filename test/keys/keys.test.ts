import { expect } from 'chai';
import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT } from 'jose';
import type { KeySet, Keys } from '../../src/keys/index.ts';
import { FixedClock, systemClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';
import { auditOf, keysDatabase, node, operator, otherSecret, secret } from './support.ts';

const kids = (set: KeySet): string[] => set.signing.map(({ kid }) => kid);
const states = async (keys: Keys): Promise<string[]> =>
  (await keys.list()).map(({ alg, state }) => `${alg} ${state}`).sort();

for (const lane of sqlLanes()) {
  describe(`keys on ${lane}`, () => {
    let database: Database;
    let clock: FixedClock;
    beforeEach(async () => {
      database = await keysDatabase(lane);
      clock = new FixedClock();
    });

    const rows = (): Promise<{ kid: string; private_jwk: string }[]> => database.sql('signing_key').select();

    describe('the first start', () => {
      it('makes one signer per algorithm, in the order of the policy, ready for the provider', async () => {
        const keys = node(database, clock, { policy: { algorithms: ['ES256', 'RS256', 'EdDSA'] } });
        await keys.prepare();
        const { signing, public: jwks } = keys.current();
        expect(signing.map(({ alg }) => alg)).to.deep.equal(['ES256', 'RS256', 'EdDSA']);
        for (const jwk of signing) {
          expect(jwk.use).to.equal('sig');
          expect(jwk.kid).to.equal(await calculateJwkThumbprint(jwk));
          const token = await new SignJWT({}).setProtectedHeader({ alg: jwk.alg }).sign(await importJWK(jwk));
          const shown = jwks.keys.find(({ kid }) => kid === jwk.kid) ?? {};
          await jwtVerify(token, await importJWK(shown, jwk.alg));
        }
        expect(signing[1]).to.include.keys('d', 'p', 'q', 'dp', 'dq', 'qi');
        const [published, started] = await auditOf(database, kids(keys.current())[0] ?? '');
        expect([published?.type, started?.type].sort()).to.deep.equal(['key.published', 'key.signing']);
      });

      it('shows no private part in the JWKS and stores none in the clear', async () => {
        const keys = node(database, clock, { policy: { algorithms: ['ES256', 'RS256', 'EdDSA'] } });
        await keys.prepare();
        const { signing, public: jwks } = keys.current();
        const stored = JSON.stringify(await rows());
        for (const jwk of jwks.keys) {
          expect(jwk).not.to.have.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth');
          expect(jwk).to.include.keys('kid', 'alg', 'use', 'kty');
        }
        for (const jwk of signing) expect(stored).not.to.contain(jwk.d);
        expect(JSON.stringify(await keys.list())).not.to.contain(signing[0]?.d);
      });

      it('ends with one set of keys when many nodes start at once', async () => {
        const nodes = Array.from({ length: 8 }, () => node(database, clock));
        await Promise.all(nodes.map((keys) => keys.prepare()));
        expect(await rows()).to.have.length(2);
        for (const keys of nodes) expect(keys.current()).to.deep.equal(nodes[0]?.current());
      });

      it('finds the same keys after a restart', async () => {
        const before = node(database, clock);
        await before.prepare();
        const after = node(database, clock);
        await after.prepare();
        expect(after.current()).to.deep.equal(before.current());
      });

      it('refuses to hand out keys before it is prepared', () => {
        expect(() => node(database, clock).current()).to.throw(/prepare/);
      });
    });

    describe('a wrong secret', () => {
      it('refuses to start, says why, and makes no key', async () => {
        await node(database, clock).prepare();
        const before = await rows();
        const wrong = node(database, clock, {
          secrets: [otherSecret],
          policy: { algorithms: ['ES256', 'EdDSA', 'RS256'] },
        });
        const refused = await refusal(wrong.prepare());
        expect(refused.code).to.equal('unavailable');
        expect(refused.message).to.match(/SALLYPORT_SECRETS/);
        for (const attempt of ['tick', 'prepare', 'ensureFresh'] as const) await refusal(wrong[attempt]());
        await refusal(wrong.rotate(undefined, operator));
        await refusal(wrong.revoke(before[0]?.kid ?? '', operator, { emergency: true }));
        expect(await rows()).to.deep.equal(before);
      });

      it('does not open a private key that was copied to another row', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const [first, second] = await rows();
        await database.sql('signing_key').where({ kid: first?.kid }).update({ private_jwk: second?.private_jwk });
        await refusal(node(database, clock).prepare());
      });

      it('takes a running node out of service, which keeps its last keys, and lets another lead', async () => {
        const left = node(database, clock);
        await left.prepare();
        await left.tick();
        const before = left.current();
        const [row] = await rows();
        await database.sql('signing_key').where({ kid: row?.kid }).update({ private_jwk: 'v1.damaged.a.b' });
        await refusal(left.tick());
        expect(left.health()).to.include({ ready: false });
        expect(left.health().problem).to.contain(row?.kid);
        expect(left.current()).to.deep.equal(before);
        expect(await database.sql('lease')).to.have.length(0);

        await database.sql('signing_key').where({ kid: row?.kid }).update({ private_jwk: row?.private_jwk });
        await left.tick();
        expect(left.health()).to.deep.equal({ ready: true, ageSeconds: 0 });
      });
    });

    describe('reseal', () => {
      it('moves every key to the newest secret, so that the old one can go', async () => {
        await node(database, clock).prepare();
        const both = node(database, clock, { secrets: [otherSecret, secret] });
        await both.prepare();
        const [a, b] = await Promise.all([both.reseal(), both.reseal()]);
        expect((a?.resealed ?? 0) + (b?.resealed ?? 0), 'two at once share the work').to.equal(2);
        expect(await both.reseal()).to.deep.equal({ resealed: 0, left: 0 });
        const only = node(database, clock, { secrets: [otherSecret] });
        await only.prepare();
        expect(only.current()).to.deep.equal(both.current());
        await refusal(node(database, clock).prepare());
      });
    });

    describe('rotation', () => {
      it('publishes, then signs, then retires, then removes, each on time', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const old = kids(keys.current());
        const [es, ed] = await keys.rotate(undefined, operator);
        const fresh = [es?.kid ?? '', ed?.kid ?? ''].sort();
        expect(es?.state).to.equal('published');
        expect(es?.nextStep).to.deep.equal({ state: 'signing', at: clock.now() + 8000 });
        expect(kids(keys.current()).slice(0, 2), 'signers first').to.deep.equal(old);
        expect(kids(keys.current()).slice(2).sort()).to.deep.equal(fresh);

        clock.advance(7.999);
        await keys.tick();
        expect(kids(keys.current()).slice(0, 2)).to.deep.equal(old);
        clock.advance(0.001);
        expect(kids(keys.current()).slice(0, 2).sort(), 'on time, without a poll').to.deep.equal(fresh);
        expect(kids(keys.current()).slice(2), 'kept for what it signed').to.deep.equal(old);
        const { version } = keys.current();
        await keys.tick();
        expect(keys.current().version, 'writing it down changes nothing').to.equal(version);

        clock.advance(9.999);
        await keys.tick();
        expect(kids(keys.current())).to.include.members(old);
        clock.advance(0.001);
        await keys.tick();
        expect(kids(keys.current()).filter((kid) => old.includes(kid))).to.deep.equal([]);
        const types = (await auditOf(database, old[0] ?? '')).map(({ type }) => type);
        expect(types).to.include.members(['key.published', 'key.signing', 'key.retiring', 'key.removed']);
        const [by] = await auditOf(database, fresh[0] ?? '');
        expect(by?.actor).to.deep.equal(operator);
      });

      it('makes one new key per algorithm out of 50 calls on two nodes', async () => {
        const nodes = [node(database, clock), node(database, clock)];
        for (const keys of nodes) await keys.prepare();
        const calls = Array.from({ length: 50 }, (_, index) => nodes[index % 2]?.rotate(undefined, operator));
        const answers = await Promise.all(calls);
        expect(await states(nodes[0] as Keys)).to.deep.equal([
          'ES256 published',
          'ES256 signing',
          'EdDSA published',
          'EdDSA signing',
        ]);
        for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
        const audits = await auditOf(database, answers[0]?.[0]?.kid ?? '');
        expect(audits.map(({ type }) => type)).to.deep.equal(['key.published']);
      });

      it('rotates one algorithm alone and refuses one that it does not have', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        expect((await keys.rotate('EdDSA', operator)).map(({ alg }) => alg)).to.deep.equal(['EdDSA']);
        expect(await states(keys)).to.deep.equal(['ES256 signing', 'EdDSA published', 'EdDSA signing']);
        const refused = await refusal(keys.rotate('HS256', operator));
        expect(refused.code).to.equal('invalid_input');
        expect(refused.details.fields).to.have.key('alg');
      });

      it('comes by itself, from one leader, and another takes over when the leader is gone', async () => {
        const [one, two] = [node(database, clock), node(database, clock)];
        await one.prepare();
        await two.prepare();
        await one.tick();
        clock.advance(12);
        await one.tick();
        expect(await states(two)).to.include('ES256 published');
        // The lease lasts three polls of two seconds: node two leads only when node one has been silent for longer.
        clock.advance(5);
        await two.tick();
        const leader = async (): Promise<string> => (await database.sql('lease').first()).holder;
        const first = await leader();
        clock.advance(3);
        await two.tick();
        expect(await leader()).not.to.equal(first);
        clock.advance(12);
        await two.tick();
        expect(await states(two)).to.include.members(['ES256 published', 'ES256 signing']);
      });

      it('publishes a successor that a crashed leader left behind', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        await keys.rotate('ES256', operator);
        await database
          .sql('signing_key')
          .where({ state: 'published' })
          .update({ state: 'pending', published_at: null });
        clock.advance(4);
        await keys.tick();
        const [view] = (await keys.list()).filter(({ state }) => state === 'published');
        expect(view?.since.published, 'its time in the JWKS counts from when it is shown').to.equal(clock.now());
      });
    });

    describe('revoke', () => {
      it('replaces a signer at once by a new one and tells listeners', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const [stolen = ''] = kids(keys.current());
        const told: KeySet[] = [];
        keys.onChange((set) => told.push(set));
        await keys.revoke(stolen, operator, { emergency: true });
        expect(kids(keys.current())).not.to.include(stolen);
        expect(keys.current().signing.map(({ alg }) => alg)).to.deep.equal(['ES256', 'EdDSA']);
        expect(told).to.deep.equal([keys.current()]);
        const revoked = (await auditOf(database, stolen)).find(({ type }) => type === 'key.revoked');
        expect(revoked).to.deep.include({
          actor: operator,
          details: { alg: 'ES256', state: 'signing', emergency: true },
        });
        expect(await states(keys)).to.deep.equal(['ES256 signing', 'EdDSA signing']);
      });

      it('prefers a successor that caches know already', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const [stolen = ''] = kids(keys.current());
        const [next] = await keys.rotate('ES256', operator);
        clock.advance(1);
        await keys.revoke(stolen, operator, { emergency: true });
        expect(kids(keys.current())[0]).to.equal(next?.kid);
        expect(await rows()).to.have.length(3);
      });

      it('wants the emergency confirmed for a key that has signed, not for one that has not', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const [signer = ''] = kids(keys.current());
        const [next] = await keys.rotate('ES256', operator);
        expect((await refusal(keys.revoke(signer, operator))).code).to.equal('conflict');
        await keys.revoke(next?.kid ?? '', operator);
        expect(kids(keys.current())).to.include(signer).and.not.to.include(next?.kid);
        expect((await refusal(keys.revoke(next?.kid ?? '', operator))).code).to.equal('not_found');
        expect((await refusal(keys.revoke('nope', operator))).code).to.equal('not_found');

        const [again] = await keys.rotate('ES256', operator);
        clock.advance(8);
        expect((await refusal(keys.revoke(again?.kid ?? '', operator))).code, 'it signs by now').to.equal('conflict');
        expect((await refusal(keys.revoke(signer, operator))).code, 'retiring by now').to.equal('conflict');
      });

      it('replaces once when an emergency is declared 20 times at once', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const [stolen = ''] = kids(keys.current());
        const attempts = Array.from({ length: 20 }, () => keys.revoke(stolen, operator, { emergency: true }));
        const results = await Promise.allSettled(attempts);
        expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).to.be.instanceOf(AppError);
        }
        expect(await states(keys)).to.deep.equal(['ES256 signing', 'EdDSA signing']);
        expect(await rows()).to.have.length(3);
      });

      it('is the way out for a damaged key', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        const [damaged = ''] = kids(keys.current());
        await database.sql('signing_key').where({ kid: damaged }).update({ private_jwk: 'v1.damaged.a.b' });
        const fresh = node(database, clock);
        await refusal(fresh.prepare());
        await fresh.revoke(damaged, operator, { emergency: true });
        await fresh.prepare();
        expect(await states(fresh)).to.deep.equal(['ES256 signing', 'EdDSA signing']);
      });
    });

    describe('on a running node', () => {
      it('polls, flips between polls on time, and stops when disposed of', async () => {
        const short = { publishSeconds: 1, jwksMaxAgeSeconds: 0.2, pollSeconds: 0.3, rotationSeconds: 3600 };
        const [one, two] = [
          node(database, systemClock, { policy: short }),
          node(database, systemClock, { policy: short }),
        ];
        await one.prepare();
        await two.prepare();
        const running = [one.start(), two.start()];
        const seen = new Promise<number>((resolve) => {
          two.onChange((set) => {
            if (set.signing[0]?.kid === next?.kid) resolve(Date.now());
          });
        });
        const [next] = await one.rotate('ES256', operator);
        const due = next?.nextStep?.at ?? 0;
        expect((await seen) - due, 'milliseconds late').to.be.within(0, 250);
        for (const each of running) await each[Symbol.asyncDispose]();
        expect(await database.sql('lease')).to.have.length(0);
        const { ageSeconds } = two.health();
        await one.tick();
        expect(two.health().ageSeconds).to.be.at.least(ageSeconds);
      });

      it('keeps going when a listener throws', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        let told = 0;
        keys.onChange(() => {
          throw new Error('broken');
        });
        const stop = keys.onChange(() => {
          told += 1;
        });
        await keys.rotate('ES256', operator);
        expect(told).to.equal(1);
        stop();
        await keys.rotate('EdDSA', operator);
        expect(told).to.equal(1);
      });

      it('answers from memory: the set is computed once per change', async () => {
        const keys = node(database, clock);
        await keys.prepare();
        expect(keys.current()).to.equal(keys.current());
      });
    });
  });
}
