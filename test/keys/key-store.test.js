import { expect } from 'chai';
import { createSqlKeyStore } from '../../src/keys/key-store-sql.js';
import { createSqlLeaseStore } from '../../src/keys/lease-store-sql.js';
import { FixedClock } from '../../src/shared/clock.js';
import { sqlLanes } from '../support/database.js';
import { keysDatabase } from './support.js';
const now = Date.parse('2026-01-01T00:00:00.123Z');
const key = (kid, change = {}) => ({
    kid,
    alg: 'ES256',
    state: 'pending',
    createdAt: now,
    sealed: `sealed ${kid}`,
    ...change,
});
const wins = (results) => results.filter(Boolean).length;
const fifty = Array.from({ length: 50 }, (_, index) => index);
for (const lane of sqlLanes()) {
    describe(`KeyStore on ${lane}`, () => {
        it('gives back what it was given', async () => {
            const store = createSqlKeyStore(await keysDatabase(lane));
            const signer = key('s', { state: 'signing', publishedAt: now + 1, signingAt: now + 2 });
            await store.insert(signer);
            expect(await store.list()).to.deep.equal([signer]);
        });
        it('has one place for a signer and one for a successor per algorithm, also under 50 at once', async () => {
            const store = createSqlKeyStore(await keysDatabase(lane));
            const signing = { state: 'signing', publishedAt: now, signingAt: now };
            expect(wins(await Promise.all(fifty.map((n) => store.insert(key(`s${n}`, signing)))))).to.equal(1);
            expect(wins(await Promise.all(fifty.map((n) => store.insert(key(`p${n}`)))))).to.equal(1);
            expect(await store.insert(key('e', { alg: 'EdDSA' }))).to.equal(true);
            const published = (await store.list()).find(({ alg, state }) => alg === 'ES256' && state === 'pending');
            await store.move({ kid: published?.kid ?? '', from: 'pending', to: 'published', at: now });
            expect(await store.insert(key('p99')), 'a published key holds the same place').to.equal(false);
        });
        it('moves a key once, from the state it is in, and notes when', async () => {
            const store = createSqlKeyStore(await keysDatabase(lane));
            await store.insert(key('k'));
            const move = { kid: 'k', from: 'pending', to: 'published', at: now + 5 };
            expect(wins(await Promise.all(fifty.map(() => store.move(move))))).to.equal(1);
            expect(await store.list()).to.deep.equal([key('k', { state: 'published', publishedAt: now + 5 })]);
        });
        it('deletes the private part with the removal and lists the key on request only', async () => {
            const database = await keysDatabase(lane);
            const store = createSqlKeyStore(database);
            await store.insert(key('k'));
            await store.move({ kid: 'k', from: 'pending', to: 'removed', at: now + 9 });
            expect(await store.list()).to.deep.equal([]);
            const { sealed: _, ...bare } = key('k', { state: 'removed', removedAt: now + 9 });
            expect(await store.list({ removed: true })).to.deep.equal([bare]);
            expect(await database.sql('signing_key').pluck('private_jwk')).to.deep.equal([null]);
        });
        it('reseals a value only while it is the one that was read', async () => {
            const store = createSqlKeyStore(await keysDatabase(lane));
            await store.insert(key('k'));
            const results = await Promise.all(fifty.map((n) => store.reseal('k', 'sealed k', `again ${n}`)));
            expect(wins(results)).to.equal(1);
        });
        it('undoes everything when one part fails', async () => {
            const store = createSqlKeyStore(await keysDatabase(lane));
            const failing = store.together(async () => {
                await store.insert(key('k'));
                throw new Error('no');
            });
            const outcome = await failing.catch((error) => error.message);
            expect(outcome).to.equal('no');
            expect(await store.list()).to.deep.equal([]);
        });
    });
    describe(`LeaseStore on ${lane}`, () => {
        it('has one holder until its time is over or it gives the lease back', async () => {
            const clock = new FixedClock(now);
            const leases = createSqlLeaseStore(await keysDatabase(lane), clock);
            const all = await Promise.all(fifty.map((n) => leases.acquire('job', `node ${n}`, 10)));
            expect(wins(all)).to.equal(1);
            const holder = `node ${all.indexOf(true)}`;
            clock.advance(8);
            expect(await leases.acquire('job', 'late', 10)).to.equal(false);
            expect(await leases.acquire('job', holder, 10), 'renewed').to.equal(true);
            clock.advance(9);
            expect(await leases.acquire('job', 'late', 10)).to.equal(false);
            clock.advance(2);
            expect(await leases.acquire('job', 'late', 10)).to.equal(true);
            expect(await leases.acquire('job', holder, 10)).to.equal(false);
            await leases.release('job', holder);
            expect(await leases.acquire('job', holder, 10), 'only its holder gives it back').to.equal(false);
            await leases.release('job', 'late');
            expect(await leases.acquire('job', holder, 10)).to.equal(true);
            expect(await leases.acquire('another', 'late', 10)).to.equal(true);
        });
    });
}
