import { expect } from 'chai';
import { drawSignIns, gridStep, type SignInDay } from '../../src/web/admin-console/sign-in-chart.ts';

const day = 86_400_000;
const start = Date.parse('2026-11-15T00:00:00Z');
const week = (succeeded: readonly number[], failed: readonly number[]): SignInDay[] =>
  succeeded.map((count, index) => ({ start: start + index * day, succeeded: count, failed: failed[index] ?? 0 }));

const pointsOf = (path: string): number[][] =>
  path
    .replace(/^M|h0$/g, '')
    .split('L')
    .map((point) => point.split(' ').map(Number));

describe('the sign-ins chart', () => {
  it('takes the smallest round scale that holds all numbers', () => {
    for (const [most, step] of [
      [0, 1],
      [4, 1],
      [5, 2],
      [39, 10],
      [40, 10],
      [42, 15],
      [60, 15],
      [61, 20],
      [401, 150],
      [655, 200],
      [99_000, 25_000],
      [330_000, 100_000],
    ] as const) {
      expect(gridStep(most), String(most)).to.equal(step);
    }
    for (let most = 0; most < 3000; most += 7) {
      const step = gridStep(most);
      expect(step * 4).to.be.at.least(most);
      expect(Number.isInteger(step)).to.equal(true);
    }
  });

  it('draws every day where it belongs, inside the box', () => {
    const chart = drawSignIns(week([10, 40, 0, 20, 5, 5, 8], [0, 1, 0, 30, 0, 0, 2]));
    expect(chart.scale).to.deep.equal(['40', '30', '20', '10', '0']);
    expect(pointsOf(chart.first)).to.deep.equal([
      [50, 150],
      [150, 0],
      [250, 200],
      [350, 100],
      [450, 175],
      [550, 175],
      [650, 160],
    ]);
    for (const [x = -1, y = -1] of [...pointsOf(chart.first), ...pointsOf(chart.second)]) {
      expect(x).to.be.within(0, 700);
      expect(y).to.be.within(0, 200);
    }
    expect(chart.area).to.equal(`${chart.first}L650 200L50 200z`);
    expect(chart.firstDots).to.equal('M650 160h0');
    expect(chart.secondDots, 'the worst day and the last').to.equal('M350 50h0M650 190h0');
    expect(chart.caption).to.include('18 November: 30 failed tries');
    expect(chart.title).to.equal('Sign-ins and failed tries per day, 15 November to 21 November');
    expect(chart.description).to.equal('0 to 40 sign-ins a day, 0 to 30 failed tries a day.');
  });

  it('has the same numbers in its table', () => {
    const { days } = drawSignIns(week([1000, 0, 0, 0, 0, 0, 0], [250, 0, 0, 0, 0, 0, 1]));
    expect(days[0]).to.deep.equal({
      short: '15 Nov',
      long: '15 November',
      first: '1,000',
      second: '250',
      share: '20%',
    });
    expect(days[1]?.share).to.equal('none');
    expect(days[6]?.share).to.equal('100%');
  });

  it('says so when nothing happened, or nothing failed', () => {
    const zero = [0, 0, 0, 0, 0, 0, 0];
    expect(drawSignIns(week(zero, zero)).caption).to.equal('Nobody tried to sign in on these days.');
    expect(drawSignIns(week([1, 1, 1, 1, 1, 1, 1], zero)).caption).to.equal('No try failed on these days.');
    expect(drawSignIns(week(zero, [0, 0, 0, 0, 0, 0, 1])).caption).to.include('21 November: 1 failed try.');
  });
});
