import type { ChartModel } from '../console-models.ts';

/** One day of the chart. `start` is its first moment, UTC. */
export interface SignInDay {
  readonly start: number;
  readonly succeeded: number;
  readonly failed: number;
}

const box = { width: 700, height: 200 };
const lines = 4;

const shortDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const longDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
const count = new Intl.NumberFormat('en-GB');
const percent = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 1 });

const roundSteps = [10, 15, 20, 25, 30, 40, 50, 60, 80];

/** The height of one grid step: a round number, the smallest of which four hold `most`. */
export function gridStep(most: number): number {
  const least = Math.max(1, most / lines);
  if (least <= 10) return Math.ceil(least);
  const power = 10 ** (Math.floor(Math.log10(least)) - 1);
  return (roundSteps.find((step) => step * power >= least) ?? 100) * power;
}

const shareOf = ({ succeeded, failed }: SignInDay): string =>
  succeeded + failed === 0 ? 'none' : percent.format(failed / (succeeded + failed));

function span(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? count.format(least) : `${count.format(least)} to ${count.format(most)}`;
}

interface Worst {
  readonly index: number;
  readonly day: SignInDay;
}

/** The day with the most failures, if there were any; the later one of two. */
function worstOf(days: readonly SignInDay[]): Worst | undefined {
  let worst: Worst | undefined;
  days.forEach((day, index) => {
    if (day.failed > 0 && day.failed >= (worst?.day.failed ?? 0)) worst = { index, day };
  });
  return worst;
}

function captionFor(days: readonly SignInDay[], worst: Worst | undefined): string {
  if (days.every(({ succeeded, failed }) => succeeded + failed === 0)) return 'Nobody tried to sign in on these days.';
  if (!worst) return 'No try failed on these days.';
  const tries = worst.day.failed === 1 ? '1 failed try' : `${count.format(worst.day.failed)} failed tries`;
  return `Most failures on ${longDay.format(worst.day.start)}: ${tries}. The last day is not over yet.`;
}

/** Draws seven days as two lines. Everything in the result is text that can be printed as it is. */
export function drawSignIns(days: readonly SignInDay[]): ChartModel {
  const step = gridStep(Math.max(...days.map(({ succeeded, failed }) => Math.max(succeeded, failed))));
  const across = box.width / days.length;
  const point = (index: number, value: number): string => {
    const y = box.height - (value / (step * lines)) * box.height;
    return `${Math.round((index + 0.5) * across * 10) / 10} ${Math.round(y * 10) / 10}`;
  };
  const line = (pick: (day: SignInDay) => number): string =>
    `M${days.map((day, index) => point(index, pick(day))).join('L')}`;
  const dot = (index: number, value: number): string => `M${point(index, value)}h0`;

  const first = line(({ succeeded }) => succeeded);
  const last = days.length - 1;
  const today = days[last] ?? { start: 0, succeeded: 0, failed: 0 };
  const worst = worstOf(days);
  const [begin, end] = [days[0]?.start ?? 0, today.start];
  const floor = (index: number): string => `${Math.round((index + 0.5) * across * 10) / 10} ${box.height}`;
  return {
    scale: Array.from({ length: lines + 1 }, (_, index) => count.format((lines - index) * step)),
    days: days.map((day) => ({
      short: shortDay.format(day.start),
      long: longDay.format(day.start),
      first: count.format(day.succeeded),
      second: count.format(day.failed),
      share: shareOf(day),
    })),
    title: `Sign-ins and failed tries per day, ${longDay.format(begin)} to ${longDay.format(end)}`,
    description:
      `${span(days.map(({ succeeded }) => succeeded))} sign-ins a day, ` +
      `${span(days.map(({ failed }) => failed))} failed tries a day.`,
    area: `${first}L${floor(last)}L${floor(0)}z`,
    first,
    second: line(({ failed }) => failed),
    firstDots: dot(last, today.succeeded),
    secondDots: `${worst && worst.index !== last ? dot(worst.index, worst.day.failed) : ''}${dot(last, today.failed)}`,
    caption: captionFor(days, worst),
  };
}
