/** What one slice of load gave. */
export interface Measurement {
  readonly done: number;
  readonly errors: number;
  /** The first answer that was not as expected. */
  readonly firstError?: string;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** The value below which a share of the sorted values lies (nearest rank). */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/**
 * Repeats `work` in `concurrency` loops for so many seconds and times each round. A round that is under way at the
 * end is finished and counted. A round that throws counts as an error.
 */
export async function measure(
  concurrency: number,
  seconds: number,
  work: (worker: number) => Promise<void>,
): Promise<Measurement> {
  const times: number[] = [];
  let errors = 0;
  let firstError: string | undefined;
  const started = performance.now();
  const end = started + seconds * 1000;
  const loop = async (worker: number): Promise<void> => {
    while (performance.now() < end) {
      const from = performance.now();
      try {
        await work(worker);
        times.push(performance.now() - from);
      } catch (error) {
        errors += 1;
        firstError ??= error instanceof Error ? error.message : String(error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, worker) => loop(worker)));
  const elapsed = (performance.now() - started) / 1000;
  const sorted = Float64Array.from(times).sort();
  return {
    done: times.length,
    errors,
    ...(firstError !== undefined && { firstError }),
    seconds: elapsed,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  };
}
