/** Milliseconds in which work that was told to stop has to do so. */
const moment = 500;

/**
 * Waits for work, but no longer than it may take: work that heeds neither its own limit nor `cut` is left behind, so that
 * it holds up nobody, least of all the end of the process.
 * @param limits.seconds longer than the work's own limit, which comes first when all is well
 * @param limits.cut tells the work to stop; shortly after it nobody waits any more
 * @param late what stands for the answer then
 */
export function withinTime<T>(
  work: Promise<T>,
  limits: { readonly seconds: number; readonly cut?: AbortSignal | undefined },
  late: () => T,
): Promise<T> {
  const { seconds, cut } = limits;
  return new Promise((settle, fail) => {
    let timer = setTimeout(() => settle(late()), seconds * 1000);
    const hasten = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => settle(late()), Math.min(moment, seconds * 1000));
    };
    if (cut?.aborted) hasten();
    else cut?.addEventListener('abort', hasten, { once: true });
    work.then(settle, fail).finally(() => {
      clearTimeout(timer);
      cut?.removeEventListener('abort', hasten);
    });
  });
}
