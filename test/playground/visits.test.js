import { expect } from 'chai';
import { keepRun, Visits } from '../../src/playground/visits.js';
import { FixedClock } from '../../src/shared/clock.js';
const run = (id) => ({ kind: 'machine', id, calls: [], scope: '' });
describe('playground: visits', () => {
    it('finds a visit by its id only', () => {
        const visits = new Visits(new FixedClock());
        const visit = visits.create();
        expect(visits.find(visit.id)).to.equal(visit);
        expect(visits.find(undefined)).to.equal(undefined);
        expect(visits.find('')).to.equal(undefined);
        expect(visit.id).to.have.length(43);
        expect(visits.create().id).not.to.equal(visit.id);
    });
    it('forgets one that was away for more than eight hours, and keeps one that comes back in time', () => {
        const clock = new FixedClock();
        const visits = new Visits(clock);
        const visit = visits.create();
        clock.advance(8 * 3600);
        expect(visits.find(visit.id)).to.equal(visit);
        clock.advance(8 * 3600);
        expect(visits.find(visit.id)).to.equal(visit);
        clock.advance(8 * 3600 + 1);
        expect(visits.find(visit.id)).to.equal(undefined);
    });
    it('holds two hundred, the longest unseen leave first', () => {
        const visits = new Visits(new FixedClock());
        const [first, second] = [visits.create(), visits.create()];
        visits.find(first.id);
        for (let count = 2; count < 201; count += 1)
            visits.create();
        expect(visits.find(second.id)).to.equal(undefined);
        expect(visits.find(first.id)).to.equal(first);
    });
    it('keeps the newest twenty runs of a visit', () => {
        const visit = new Visits(new FixedClock()).create();
        for (let count = 0; count < 25; count += 1)
            keepRun(visit, run(`run-${count}`));
        expect([...visit.runs.keys()])
            .to.have.length(20)
            .and.to.include('run-24')
            .and.not.include('run-4');
    });
});
