import { randomInt } from 'node:crypto';

/**
 * Runs `work` now and then again and again until disposed of, about `seconds` after the end of the last run. The pause
 * varies by a fifth, so that nodes that started together do not ask together. It keeps no process alive.
 */
export function pollRegularly(
  work: () => Promise<void>,
  seconds: number,
  onError: (error: unknown) => void,
): AsyncDisposable {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let running: Promise<void>;

  const run = async (): Promise<void> => {
    await work().catch(onError);
    if (ended) return;
    timer = setTimeout(() => {
      running = run();
    }, seconds * randomInt(800, 1201)).unref();
  };
  running = run();

  return {
    async [Symbol.asyncDispose]() {
      ended = true;
      clearTimeout(timer);
      await running;
    },
  };
}
