import { availableParallelism, cpus } from 'node:os';
import type { Slice } from './processes.ts';

/** What was measured of one lane on one server, a slice per round. */
export interface Result {
  readonly lane: string;
  readonly server: string;
  readonly slices: readonly Slice[];
}

/** A result in one line: the best round's rate, and the least CPU of all rounds. */
export interface Line {
  readonly lane: string;
  readonly server: string;
  readonly perSecond: number;
  /** Per second, round by round. */
  readonly rates: readonly number[];
  readonly p50: number;
  readonly p99: number;
  readonly cpuMicrosEach: number;
  readonly rssMiB: number;
  readonly errors: number;
  readonly firstError?: string;
}

export interface Report {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly stores: string;
  readonly startedAt: string;
  readonly secondsPerSlice: number;
  readonly rounds: number;
  readonly lines: readonly Line[];
  /** Sallyport divided by the other, by lane: more is better. */
  readonly ratios: readonly {
    readonly lane: string;
    readonly against: string;
    /** Best round by best round. */
    readonly rate: number;
    /** The median of the ratios within each round: one lucky round of either server changes it least. */
    readonly median: number;
    readonly cpu: number;
  }[];
}

const rate = ({ done, seconds }: Slice): number => done / seconds;
const round = (value: number, digits = 0): number => Number(value.toFixed(digits));

/** Sums up the rounds of a lane. The best round is the one that neighbours on the machine disturbed least. */
export function lineOf({ lane, server, slices }: Result): Line {
  const best = slices.reduce((one, other) => (rate(other) > rate(one) ? other : one));
  const firstError = slices.find((slice) => slice.firstError !== undefined)?.firstError;
  return {
    lane,
    server,
    perSecond: round(rate(best), 1),
    rates: slices.map((slice) => round(rate(slice), 1)),
    p50: round(best.p50, 1),
    p99: round(best.p99, 1),
    cpuMicrosEach: round(Math.min(...slices.map(({ cpuMicros, done }) => cpuMicros / Math.max(done, 1)))),
    rssMiB: round(Math.max(...slices.map(({ rss }) => rss)) / 1024 / 1024),
    errors: slices.reduce((sum, { errors }) => sum + errors, 0),
    ...(firstError !== undefined && { firstError }),
  };
}

/** The middle one; of an even number the mean of both. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const [low = Number.NaN, high = low] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

/** Every lane's Sallyport against whatever else ran in the same lane. */
export function ratiosOf(lines: readonly Line[]): Report['ratios'] {
  return lines
    .filter(({ server }) => server === 'sallyport')
    .flatMap((own) =>
      lines
        .filter((other) => other.lane === own.lane && other !== own)
        .map((other) => ({
          lane: own.lane,
          against: other.server,
          rate: round(own.perSecond / other.perSecond, 2),
          median: round(medianOf(own.rates.map((one, index) => one / (other.rates[index] ?? Number.NaN))), 2),
          cpu: round(other.cpuMicrosEach / own.cpuMicrosEach, 2),
        })),
    );
}

/** The facts of this machine that the numbers depend on. */
export const machine = (): Pick<Report, 'node' | 'cpu' | 'cores'> => ({
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
});

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map((row) => pad(row).trimEnd()).join('\n');
}

/** The report for a terminal. */
export function reportText(report: Report): string {
  const { lines, ratios } = report;
  const head = `Node ${report.node}, ${report.cores} cores (${report.cpu}), ${report.stores}; ${report.rounds} rounds of ${report.secondsPerSlice} s each, servers taking turns`;
  const measured = [
    ['lane', 'server', 'per second', 'p50 ms', 'p99 ms', 'CPU µs each', 'RSS MiB', 'errors'],
    ...lines.map((line) => [
      line.lane,
      line.server,
      String(line.perSecond),
      String(line.p50),
      String(line.p99),
      String(line.cpuMicrosEach),
      line.rssMiB > 0 ? String(line.rssMiB) : '-',
      String(line.errors),
    ]),
  ];
  const compared = [
    ['sallyport against', '', 'by best rate', 'by round, median', 'by CPU'],
    ...ratios.map(({ lane, against, rate: by, median, cpu }) => [
      lane,
      against,
      by.toFixed(2),
      median.toFixed(2),
      cpu.toFixed(2),
    ]),
  ];
  const faults = lines.flatMap(({ lane, server, firstError }) =>
    firstError ? [`${lane}, ${server}: ${firstError}`] : [],
  );
  return [head, '', table(measured), '', table(compared), ...(faults.length > 0 ? ['', ...faults] : []), ''].join('\n');
}
