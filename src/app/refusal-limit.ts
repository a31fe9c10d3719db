import type { RefusalLimit } from '../forward-auth/index.ts';
import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { addressKey, rateLimited } from '../web/http/rate-limit.ts';
import { BoundedMap } from '../web/http/rate-limit-local.ts';

interface Needs {
  /** Of the limit, for the log and the metrics. */
  readonly name: string;
  /** Credentials that may be refused within a minute. */
  readonly max: number;
  readonly clock: Clock;
  readonly onLimited: (name: string) => void;
}

const window = 60_000;
/** Milliseconds that a credential which was good is remembered, and how many of them. */
const goodMemory = 600_000;
const mostGood = 20_000;

/**
 * Makes such a limit. It counts in this process, so that a good credential costs no store a round trip; n nodes allow n
 * times as many. Questions under way are not counted yet: nobody knows what they will be.
 */
export function createRefusalLimit({ name, max, clock, onLimited }: Needs): RefusalLimit {
  const windows = new BoundedMap<{ readonly until: number; count: number }>(({ until }) => until <= clock.now());
  const good = new BoundedMap<{ readonly until: number }>(({ until }) => until <= clock.now(), mostGood);

  const open = (key: string, now: number) => {
    const found = windows.get(key);
    return found && found.until > now ? found : undefined;
  };

  const isGoodLately = (shown: string): boolean => (good.get(shown)?.until ?? 0) > clock.now();

  const assertMayAsk = (key: string): void => {
    const now = clock.now();
    const counted = open(key, now);
    if (!counted || counted.count < max) return;
    onLimited(name);
    throw rateLimited(name, Math.ceil((counted.until - now) / 1000));
  };

  const count = (key: string): void => {
    const now = clock.now();
    const counted = open(key, now);
    if (counted) counted.count += 1;
    else windows.set(key, { until: now + window, count: 1 });
  };

  return {
    async ask({ by, address, credential }, ask, isGood) {
      const key = `${by} ${address === undefined ? '' : addressKey(address)}`;
      const shown = sha256(`${by} ${credential}`);
      if (!isGoodLately(shown)) assertMayAsk(key);
      const answer = await ask();
      if (isGood(answer)) {
        good.set(shown, { until: clock.now() + goodMemory });
      } else {
        good.delete(shown);
        count(key);
      }
      return answer;
    },
  };
}
