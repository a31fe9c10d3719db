import { expect } from 'chai';
import { measure, percentile } from '../../bench/measure.ts';
import type { Slice } from '../../bench/processes.ts';
import { lineOf, ratiosOf, reportText } from '../../bench/report.ts';

const slice = (change: Partial<Slice>): Slice => ({
  done: 100,
  errors: 0,
  seconds: 1,
  p50: 5,
  p99: 9,
  cpuMicros: 50_000,
  rss: 100 * 1024 * 1024,
  ...change,
});

describe('bench: figures', () => {
  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([
      percentile(values, 0.5),
      percentile(values, 0.99),
      percentile(values, 1),
      percentile([7], 0.99),
    ]).to.deep.equal([50, 99, 100, 7]);
    expect(percentile([], 0.5)).to.be.NaN;
  });

  it('counts what is done and what fails, and stops in time', async () => {
    let calls = 0;
    const result = await measure(2, 0.05, async () => {
      calls += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (calls % 2 === 0) throw new Error('even');
    });
    expect(result.done + result.errors).to.equal(calls);
    expect(result.errors).to.be.above(0);
    expect(result.firstError).to.equal('even');
    expect(result.seconds).to.be.within(0.05, 2);
  });

  it('takes the rate of the best round, the least CPU of any, and every error', () => {
    const slices = [slice({}), slice({ done: 200, p99: 4, cpuMicros: 200_000, errors: 1, firstError: 'late' })];
    expect(lineOf({ lane: 'a', server: 'sallyport', slices })).to.deep.equal({
      lane: 'a',
      server: 'sallyport',
      perSecond: 200,
      rates: [100, 200],
      p50: 5,
      p99: 4,
      cpuMicrosEach: 500,
      rssMiB: 100,
      errors: 1,
      firstError: 'late',
    });
  });

  it('compares round by round, so that one lucky round decides nothing', () => {
    const lines = Object.entries({ sallyport: [50, 50, 50], stock: [100, 50, 40] }).map(([server, rounds]) =>
      lineOf({ lane: 'a', server, slices: rounds.map((done) => slice({ done })) }),
    );
    expect(ratiosOf(lines)).to.deep.equal([{ lane: 'a', against: 'stock', rate: 0.5, median: 1, cpu: 0.5 }]);
  });

  it('compares within a lane only, and more is better both ways', () => {
    const line = (lane: string, server: string, done: number, cpuMicros: number) =>
      lineOf({ lane, server, slices: [slice({ done, cpuMicros })] });
    const lines = [line('a', 'sallyport', 50, 10_000), line('a', 'stock', 100, 10_000), line('b', 'stock', 1, 1)];
    const ratios = ratiosOf(lines);
    expect(ratios).to.deep.equal([{ lane: 'a', against: 'stock', rate: 0.5, median: 0.5, cpu: 0.5 }]);
    const report = {
      node: 'v1',
      cpu: 'x',
      cores: 2,
      stores: 's',
      startedAt: '',
      secondsPerSlice: 1,
      rounds: 1,
      lines,
      ratios,
    };
    expect(reportText(report))
      .to.match(/^a +sallyport +50 /m)
      .and.match(/^a +stock +0\.50 +0\.50 +0\.50$/m);
  });

  it('compares with every other server of the lane, each in a line of its own', () => {
    const line = (server: string, done: number) => lineOf({ lane: 'a', server, slices: [slice({ done })] });
    const lines = [line('sallyport', 90), line('stock in memory', 100), line('stock on Redis', 60)];
    const ratios = ratiosOf(lines);
    expect(ratios.map(({ against, rate }) => [against, rate])).to.deep.equal([
      ['stock in memory', 0.9],
      ['stock on Redis', 1.5],
    ]);
    const machine = { node: 'v1', cpu: 'x', cores: 2, stores: 's', startedAt: '', secondsPerSlice: 1, rounds: 1 };
    expect(reportText({ ...machine, lines, ratios }))
      .to.match(/^a +stock in memory +0\.90 +/m)
      .and.match(/^a +stock on Redis +1\.50 +/m);
  });
});
