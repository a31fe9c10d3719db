import { expect } from 'chai';
import fc from 'fast-check';
import { asOf, nextTransitions } from '../../src/keys/key.js';
import { viewOf } from '../../src/keys/key-view.js';
import { checkPolicy } from '../../src/keys/policy.js';
import { policy as times } from './support.js';
const policy = checkPolicy({ ...times, algorithms: ['ES256'] });
const start = Date.parse('2026-01-01T00:00:00Z');
const signer = {
    kid: 'a',
    alg: 'ES256',
    state: 'signing',
    createdAt: start,
    publishedAt: start,
    signingAt: start,
};
const successor = { kid: 'b', alg: 'ES256', state: 'published', createdAt: start, publishedAt: start };
const at = (seconds) => start + seconds * 1000;
/** What the store does with a transition, in memory. */
function apply(keys, step, now, kid) {
    if (step.kind === 'create') {
        const key = { kid: kid(), alg: step.alg, state: step.state, createdAt: now };
        return [...keys, step.state === 'signing' ? { ...key, publishedAt: now, signingAt: now } : key];
    }
    return keys.map((key) => {
        if (step.kind === 'sign' && key.kid === step.replaces)
            return { ...key, state: 'retiring', retiringAt: now };
        if (key.kid !== step.kid)
            return key;
        switch (step.kind) {
            case 'publish':
                return { ...key, state: 'published', publishedAt: step.at };
            case 'sign':
                return { ...key, state: 'signing', signingAt: step.at };
            case 'retire':
                return { ...key, state: 'retiring', retiringAt: step.at };
            default:
                return { ...key, state: 'removed', removedAt: step.at };
        }
    });
}
describe('nextTransitions', () => {
    it('makes a signer at once where there is no key', () => {
        expect(nextTransitions([], start, policy)).to.deep.equal([{ kind: 'create', alg: 'ES256', state: 'signing' }]);
    });
    it('makes the successor one publish time before the rotation is due, not earlier', () => {
        expect(nextTransitions([signer], at(11.999), policy)).to.deep.equal([]);
        expect(nextTransitions([signer], at(12), policy)).to.deep.equal([
            { kind: 'create', alg: 'ES256', state: 'pending' },
        ]);
    });
    it('publishes what is pending', () => {
        const pending = { kid: 'b', alg: 'ES256', state: 'pending', createdAt: at(12) };
        expect(nextTransitions([signer, pending], at(13), policy)).to.deep.equal([
            { kind: 'publish', kid: 'b', at: at(13) },
        ]);
    });
    it('lets the successor sign after the publish time, not earlier, from its planned moment', () => {
        expect(nextTransitions([signer, successor], at(7.999), policy)).to.deep.equal([]);
        expect(nextTransitions([signer, successor], at(11), policy)).to.deep.equal([
            { kind: 'sign', kid: 'b', at: at(8), replaces: 'a' },
        ]);
    });
    it('removes what has been retiring for long enough', () => {
        const retiring = { ...signer, kid: 'o', state: 'retiring', retiringAt: start };
        expect(nextTransitions([signer, retiring], at(9.999), policy)).to.deep.equal([]);
        expect(nextTransitions([signer, retiring], at(10), policy)).to.deep.equal([
            { kind: 'remove', kid: 'o', at: at(10) },
        ]);
    });
    it('heals a missing signer with the published key rather than a new one', () => {
        expect(nextTransitions([successor], at(1), policy)).to.deep.equal([{ kind: 'sign', kid: 'b', at: at(1) }]);
    });
    it('lets an algorithm that left the policy run out without a successor', () => {
        const left = { ...signer, kid: 'r', alg: 'RS256' };
        expect(nextTransitions([signer, left], at(11), policy)).to.deep.equal([]);
        expect(nextTransitions([{ ...signer, signingAt: at(20) }, left], at(20), policy)).to.deep.equal([
            { kind: 'retire', kid: 'r', at: at(20) },
        ]);
    });
});
describe('asOf', () => {
    it('flips on time without anybody writing it down, exactly once per algorithm', () => {
        const keys = [signer, successor];
        const states = (now) => keys.map((key) => asOf(key, keys, now, policy).state);
        expect(states(at(7.999))).to.deep.equal(['signing', 'published']);
        expect(states(at(8))).to.deep.equal(['retiring', 'signing']);
    });
    it('is not moved by a successor of another algorithm', () => {
        const keys = [signer, { ...successor, alg: 'EdDSA' }];
        expect(asOf(signer, keys, at(100), policy).state).to.equal('signing');
    });
});
describe('viewOf', () => {
    it('says since when and what comes next', () => {
        const keys = [signer, successor];
        const view = (now) => keys.map((key) => viewOf(key, keys, now, policy).nextStep);
        expect(view(at(1))).to.deep.equal([
            { state: 'retiring', at: at(8) },
            { state: 'signing', at: at(8) },
        ]);
        expect(view(at(9))).to.deep.equal([
            { state: 'removed', at: at(18) },
            { state: 'retiring', at: at(28) },
        ]);
        expect(viewOf(successor, keys, at(9), policy).since).to.deep.equal({
            pending: start,
            published: start,
            signing: at(8),
        });
    });
});
describe('checkPolicy', () => {
    const check = (change) => () => checkPolicy({ ...times, ...change });
    it('refuses a publish time that caches of the JWKS outlive', () => {
        expect(check({ publishSeconds: 3 })).to.throw(RangeError, /publishSeconds \(3\) must exceed jwksMaxAgeSeconds \(3\)/);
        expect(check({ publishSeconds: 6 })).to.throw(RangeError);
        expect(check({ publishSeconds: 7 })).not.to.throw();
    });
    it('refuses times that are not positive and lists of algorithms that are empty or repeat', () => {
        expect(check({ rotationSeconds: 0 })).to.throw(RangeError, /rotationSeconds/);
        expect(check({ retireSeconds: Number.NaN })).to.throw(RangeError, /retireSeconds/);
        expect(check({ algorithms: [] })).to.throw(RangeError, /algorithms/);
        expect(check({ algorithms: ['ES256', 'ES256'] })).to.throw(RangeError, /algorithms/);
    });
    it('chooses a poll that leaves room, 30 seconds at most', () => {
        const poll = (publishSeconds) => {
            const { pollSeconds: _, ...rest } = times;
            return checkPolicy({ ...rest, publishSeconds }).pollSeconds;
        };
        expect(poll(86_400)).to.equal(30);
        expect(poll(5)).to.equal(0.5);
        expect(() => poll(3)).to.throw(RangeError);
    });
});
describe('the life of keys (property)', () => {
    const policies = fc
        .record({
        rotationSeconds: fc.integer({ min: 1, max: 400 }),
        jwksMaxAgeSeconds: fc.integer({ min: 0, max: 60 }),
        room: fc.integer({ min: 4, max: 100 }),
        retireSeconds: fc.integer({ min: 1, max: 300 }),
        algorithms: fc.uniqueArray(fc.constantFrom('ES256', 'RS256', 'EdDSA'), {
            minLength: 1,
        }),
    })
        .map(({ room, ...rest }) => checkPolicy({ ...rest, publishSeconds: rest.jwksMaxAgeSeconds + room, pollSeconds: room / 4 }));
    // Pauses between looks of the leader, now and then far too long; and how many of the due steps it manages to write.
    const looks = fc.array(fc.record({
        seconds: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 1000 })),
        writes: fc.integer({ min: 0, max: 4 }),
    }), { minLength: 1, maxLength: 60 });
    it('has one signer per algorithm at every moment, shown long enough before and kept long enough after', () => {
        fc.assert(fc.property(policies, looks, (rules, pauses) => {
            let names = 0;
            const newKid = () => `k${++names}`;
            let now = start;
            let keys = [];
            for (const step of nextTransitions(keys, now, rules))
                keys = apply(keys, step, now, newKid);
            const firsts = new Set(keys.map(({ kid }) => kid));
            const lastSigned = new Map();
            const inspect = () => {
                for (const alg of rules.algorithms) {
                    const effective = keys.filter((key) => key.alg === alg).map((key) => asOf(key, keys, now, rules));
                    const signers = effective.filter(({ state }) => state === 'signing');
                    expect(signers, `signers of ${alg}`).to.have.length(1);
                    expect(effective.filter(({ state }) => state === 'pending' || state === 'published').length).to.be.at.most(1);
                    for (const { kid, publishedAt = Number.NaN } of signers) {
                        if (!firsts.has(kid))
                            expect(now - publishedAt).to.be.at.least(rules.publishSeconds * 1000);
                        lastSigned.set(kid, now);
                    }
                }
                for (const { kid, state, removedAt = Number.NaN } of keys) {
                    const last = lastSigned.get(kid);
                    if (state !== 'removed' || last === undefined)
                        continue;
                    expect(removedAt - last, 'kept after it signed').to.be.at.least(rules.retireSeconds * 1000);
                }
            };
            inspect();
            for (const { seconds, writes } of pauses) {
                // Look half way and right before the leader acts, too: nodes sign at any time.
                for (const part of [seconds * 500, seconds * 500]) {
                    now += part;
                    inspect();
                }
                for (let left = writes; left > 0; left -= 1) {
                    const [step] = nextTransitions(keys, now, rules);
                    if (!step)
                        break;
                    keys = apply(keys, step, now, newKid);
                    inspect();
                }
            }
        }), { numRuns: 300 });
    });
    it('comes to rest: at one moment there are never more than three steps in a row', () => {
        fc.assert(fc.property(policies, fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 30 }), (rules, pauses) => {
            let names = 0;
            let now = start;
            let keys = [];
            for (const seconds of [0, ...pauses]) {
                now += seconds * 1000;
                let rounds = 0;
                for (let steps = nextTransitions(keys, now, rules); steps.length > 0; rounds += 1) {
                    for (const step of steps)
                        keys = apply(keys, step, now, () => `k${++names}`);
                    steps = nextTransitions(keys, now, rules);
                }
                expect(rounds).to.be.at.most(3);
            }
        }), { numRuns: 300 });
    });
});
