/** The value below which a share of the sorted values lies (nearest rank). */
export function percentile(sorted, share) {
    const rank = Math.max(1, Math.ceil(share * sorted.length));
    return sorted[rank - 1] ?? Number.NaN;
}
/**
 * Repeats `work` in `concurrency` loops for so many seconds and times each round. A round that is under way at the
 * end is finished and counted. A round that throws counts as an error.
 */
export async function measure(concurrency, seconds, work) {
    const times = [];
    let errors = 0;
    let firstError;
    const started = performance.now();
    const end = started + seconds * 1000;
    const loop = async (worker) => {
        while (performance.now() < end) {
            const from = performance.now();
            try {
                await work(worker);
                times.push(performance.now() - from);
            }
            catch (error) {
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
