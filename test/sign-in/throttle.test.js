import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { asAccountId } from '../../src/shared/ids.js';
import { toMilliseconds } from '../../src/sign-in/flow.js';
import { delaysOf, throttleKey } from '../../src/sign-in/throttle.js';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.js';
import { sqlLanes, testDatabase } from '../support/database.js';
const policy = (lockoutTries, lockoutSeconds) => ({
    lockoutTries,
    lockoutSeconds,
    challengeSeconds: 600,
    flowSeconds: 3600,
    codeTries: 5,
});
describe('the delays after failures', () => {
    it('grow from nothing to the lock', () => {
        expect(delaysOf(policy(5, 1800))).to.deep.equal([0, 0, 1000, 2000, 1_800_000]);
        expect(delaysOf(policy(1, 60))).to.deep.equal([60_000]);
        expect(delaysOf(policy(8, 6))).to.deep.equal([0, 0, 1000, 2000, 4000, 6000, 6000, 6000]);
    });
    it('hold for any configured number', () => {
        for (const tries of [0, -1, 1.5, 100, 1e9, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, Number.NaN]) {
            for (const seconds of [0, 1, 1e6, 2 ** 31, Number.MAX_SAFE_INTEGER, 1e300, Number.POSITIVE_INFINITY]) {
                const delays = delaysOf(policy(tries, seconds));
                expect(delays.length).to.be.within(1, 100);
                expect(delays.every((delay) => Number.isSafeInteger(delay) && delay >= 0)).to.equal(true);
                expect(delays.at(-1)).to.equal(toMilliseconds(seconds));
            }
        }
    });
});
describe('the key that failures are counted under', () => {
    it('is the account, else the name in one form', () => {
        expect(throttleKey({ id: asAccountId('acc_1') }, 'Alex')).to.equal('acc_1');
        expect(throttleKey(undefined, ' Alex ')).to.equal(throttleKey(undefined, 'alex'));
        expect(throttleKey(undefined, 'Alex@Example.com')).to.equal(throttleKey(undefined, 'alex@EXAMPLE.com'));
        expect(throttleKey(undefined, 'alex')).to.not.equal(throttleKey(undefined, 'alexa'));
        expect(throttleKey(undefined, 'alex@example.com')).to.not.contain('alex');
    });
});
for (const lane of sqlLanes()) {
    describe(`the throttle on ${lane}`, () => {
        const delays = delaysOf(policy(5, 1800));
        const start = 1_800_000_000_000;
        let store;
        let key;
        beforeEach(async () => {
            store = createSqlThrottleStore(await testDatabase(lane));
            key = `test:${randomBytes(8).toString('hex')}`;
        });
        it('lets tries through with growing pauses, then locks, then starts again', async () => {
            let now = start;
            for (const delay of delays) {
                const { granted, retryAt } = await store.reserve(key, delays, now);
                expect(granted).to.equal(true);
                expect(retryAt).to.equal(now + delay);
                if (delay > 0) {
                    expect(await store.reserve(key, delays, now + delay - 1)).to.deep.equal({ granted: false, retryAt });
                }
                now += delay;
            }
            expect(await store.reserve(key, delays, now)).to.include({ granted: true, failures: 1, retryAt: now });
        });
        it('forgets failures after a quiet time, not before', async () => {
            for (let turn = 0; turn < 4; turn += 1)
                await store.reserve(key, delays, start + turn * 5000);
            const last = start + 15_000;
            expect(await store.reserve(key, delays, last + 1_799_999)).to.include({ failures: 5 });
            const other = `${key}b`;
            for (let turn = 0; turn < 4; turn += 1)
                await store.reserve(other, delays, start + turn * 5000);
            expect(await store.reserve(other, delays, last + 1_800_000)).to.include({ failures: 1 });
        });
        it('reaches a lock that is shorter than the pauses before it', async () => {
            const short = delaysOf(policy(5, 1));
            let now = start;
            const failures = [];
            for (let turn = 0; turn < 6; turn += 1) {
                const result = await store.reserve(key, short, now);
                if (result.granted)
                    failures.push(result.failures);
                now = result.retryAt;
            }
            expect(failures).to.deep.equal([1, 2, 3, 4, 5, 1]);
        });
        it('takes a try back with its own pause, but not with a later one', async () => {
            const tries = [];
            for (let turn = 0; turn < 4; turn += 1) {
                const result = await store.reserve(key, delays, start + turn * 5000);
                if (result.granted)
                    tries.push(result);
            }
            const [first, , , fourth] = tries;
            await store.giveBack(first);
            expect(await store.reserve(key, delays, start + 15_000)).to.include({ granted: false });
            await store.giveBack(fourth);
            expect(await store.reserve(key, delays, start + 15_000)).to.include({ granted: true, failures: 3 });
        });
        it('never counts below nothing', async () => {
            const reservation = await store.reserve(key, delays, start);
            await store.reset(key);
            if (reservation.granted)
                await store.giveBack(reservation);
            expect(await store.reserve(key, delays, start)).to.include({ failures: 1 });
        });
        it('lets no more than the limit through of fifty at the same time', async () => {
            const results = await Promise.all(Array.from({ length: 50 }, () => store.reserve(key, delays, start)));
            expect(results.filter(({ granted }) => granted)).to.have.length(3);
            const flat = [0, 0, 0, 0, 1000];
            const even = await Promise.all(Array.from({ length: 50 }, () => store.reserve(`${key}b`, flat, start)));
            expect(even.filter(({ granted }) => granted)).to.have.length(5);
        });
        it('holds for the longest lock there is', async () => {
            const forever = delaysOf(policy(1, Number.MAX_SAFE_INTEGER));
            await store.reserve(key, forever, start);
            expect(await store.reserve(key, forever, start + 50 * 365 * 86_400_000)).to.include({ granted: false });
        });
        it('is purged of what nobody waits for', async () => {
            await store.reserve(key, delays, 1000);
            await store.reserve(`${key}b`, [10_000_000], 1000);
            await store.purge(2000, 5000, 100_000);
            expect(await store.reserve(key, delays, 1000)).to.include({ failures: 1 });
            expect(await store.reserve(`${key}b`, [10_000_000], 2000)).to.include({ granted: false });
        });
    });
}
