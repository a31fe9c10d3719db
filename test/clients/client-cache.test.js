import { expect } from 'chai';
import { ClientCache } from '../../src/clients/client-cache.js';
import { FixedClock } from '../../src/shared/clock.js';
const record = (name) => ({ client: { name }, secrets: [] });
function setUp(load) {
    const clock = new FixedClock();
    const state = { loads: 0, inTransaction: false };
    const store = {
        inTransaction: () => state.inTransaction,
        load: (id) => {
            state.loads += 1;
            return load(id);
        },
    };
    return { clock, state, cache: new ClientCache(store, clock) };
}
describe('the cache of clients', () => {
    it('asks once for five seconds', async () => {
        const { clock, state, cache } = setUp(async (id) => record(id));
        const first = await cache.get('a');
        clock.advance(4.999);
        expect(await cache.get('a')).to.equal(first);
        expect(state.loads).to.equal(1);
        clock.advance(0.001);
        expect(await cache.get('a')).to.not.equal(first);
        expect(state.loads).to.equal(2);
    });
    it('remembers for one second that there is no such client', async () => {
        const { clock, state, cache } = setUp(async () => undefined);
        await cache.get('a');
        clock.advance(0.999);
        await cache.get('a');
        expect(state.loads).to.equal(1);
        clock.advance(0.001);
        await cache.get('a');
        expect(state.loads).to.equal(2);
    });
    it('asks once when many ask at once', async () => {
        const { state, cache } = setUp(async (id) => record(id));
        const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get('a')));
        expect(new Set(answers).size).to.equal(1);
        expect(state.loads).to.equal(1);
    });
    it('does not keep an answer that is older than a change', async () => {
        const gate = Promise.withResolvers();
        let current = 'old';
        const { cache } = setUp(async () => {
            const answer = record(current);
            if (current === 'old')
                await gate.promise;
            return answer;
        });
        const before = cache.get('a');
        current = 'new';
        cache.drop('a');
        const after = await cache.get('a');
        gate.resolve();
        expect((await before)?.client.name).to.equal('old');
        expect(after?.client.name).to.equal('new');
        expect((await cache.get('a'))?.client.name).to.equal('new');
    });
    it('neither shares nor keeps what a transaction sees', async () => {
        const { state, cache } = setUp(async (id) => record(id));
        state.inTransaction = true;
        await Promise.all([cache.get('a'), cache.get('a')]);
        expect(state.loads).to.equal(2);
        expect(cache.size).to.deep.equal({ found: 0, absent: 0 });
    });
    it('does not keep a failure', async () => {
        let away = true;
        const { cache } = setUp(async (id) => {
            if (away)
                throw new Error('away');
            return record(id);
        });
        await cache.get('a').then(() => expect.fail('It answered.'), (error) => expect(error.message).to.equal('away'));
        away = false;
        expect((await cache.get('a'))?.client.name).to.equal('a');
    });
    it('is bounded, and ids that do not exist push no client out', async () => {
        const { state, cache } = setUp(async (id) => (id.startsWith('x') ? undefined : record(id)));
        await cache.get('first');
        for (let index = 0; index < 1_500; index += 1)
            await cache.get(`x${index}`);
        expect(cache.size).to.deep.equal({ found: 1, absent: 1_000 });
        for (let index = 0; index < 10_500; index += 1)
            await cache.get(`c${index}`);
        expect(cache.size).to.deep.equal({ found: 10_000, absent: 1_000 });
        const { loads } = state;
        await cache.get('c10499');
        expect(state.loads).to.equal(loads);
        await cache.get('first');
        expect(state.loads).to.equal(loads + 1);
    });
});
