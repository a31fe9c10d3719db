/** Waits for work that somebody else does, but not for ever. */
export type Patience = <T>(work: Promise<T>) => Promise<T>;

interface Wait {
  readonly since: number;
  until: number;
  readonly giveUp: () => void;
}

/**
 * Gives every piece of work the same time and rejects when it is over. One timer serves all who wait, because one for
 * each would cost more than the waiting itself; it does not keep the process alive.
 */
export function createPatience(milliseconds: number, whom: string): Patience {
  const waiting = new Set<Wait>();
  let looksLater = false;

  const lookIn = (delay: number): void => {
    looksLater = true;
    setTimeout(look, delay).unref();
  };
  const look = (): void => {
    looksLater = false;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const wait of waiting) {
      // A look that is this late says that the work itself may have begun late, so it gets its time after all, once.
      const wasBusy = now - wait.since > milliseconds * 1.4 && wait.until === wait.since + milliseconds;
      // Timers count whole milliseconds and may be early by a part of one.
      if (wait.until > now + 1) next = Math.min(next, wait.until);
      else if (wasBusy) {
        wait.until = now + milliseconds / 2;
        next = Math.min(next, wait.until);
      } else {
        // When it was we who were busy, the answer is in the socket already; it is read before an immediate runs.
        setImmediate(wait.giveUp);
      }
    }
    if (Number.isFinite(next)) lookIn(next - now);
  };

  return (work) =>
    new Promise((resolve, reject) => {
      const since = performance.now();
      const giveUp = (): void => {
        if (waiting.delete(wait)) reject(new Error(`${whom} did not answer within ${milliseconds} ms.`));
      };
      const wait: Wait = { since, until: since + milliseconds, giveUp };
      waiting.add(wait);
      if (!looksLater) lookIn(milliseconds);
      work.then(
        (result) => {
          waiting.delete(wait);
          resolve(result);
        },
        (error: unknown) => {
          waiting.delete(wait);
          reject(error);
        },
      );
    });
}
