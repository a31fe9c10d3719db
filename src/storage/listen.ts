import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

interface Listening {
  /** A node that lost its connection may have missed something: this is also called whenever one stands. */
  readonly onNotice: () => void;
  /** Told once for each time that it is lost, with why. */
  readonly onLost: (reason: unknown) => void;
  readonly onBack?: () => void;
  /** Other channels on the same connection, by name; each is called like `onNotice`. */
  readonly beside?: Readonly<Record<string, () => void>>;
}

/** Milliseconds: to connect, between two looks whether the connection lives, and between two tries to get one. */
const times = { connect: 1_500, heartbeat: 15_000, answer: 3_000, firstWait: 100, longestWait: 5_000 };

/** Holds one connection until it breaks or `stop` fires. @throws what broke it */
async function hold(url: string, channel: string, listening: Listening, stop: AbortSignal): Promise<void> {
  const { onNotice, onBack, beside = {} } = listening;
  const heard = ({ channel: from }: pg.Notification): void => (beside[from] ?? onNotice)();
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: times.connect,
    query_timeout: times.answer,
    keepAlive: true,
    application_name: 'sallyport listen',
  });
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  client.on('error', broken.reject);
  client.on('end', () => broken.reject(new Error('The connection ended.')));
  client.on('notification', heard);
  const onStop = (): void => broken.reject(stop.reason);
  stop.addEventListener('abort', onStop);
  try {
    await Promise.race([client.connect(), broken.promise]);
    for (const name of [channel, ...Object.keys(beside)]) await client.query(`listen ${pg.escapeIdentifier(name)}`);
    onBack?.();
    for (const tell of [onNotice, ...Object.values(beside)]) tell();
    for (;;) {
      // A proxy may drop a silent connection without a word.
      await Promise.race([delay(times.heartbeat, undefined, { signal: stop, ref: false }), broken.promise]);
      await client.query('select 1');
    }
  } finally {
    stop.removeEventListener('abort', onStop);
    client.removeListener('notification', heard);
    void client.end().catch(() => undefined);
  }
}

/**
 * Listens to a channel of PostgreSQL on a connection of its own, which comes again when it breaks. Notices that were
 * sent meanwhile are lost, so whoever listens looks for itself when told that something may be new.
 */
export function listenForNotices(url: string, channel: string, listening: Listening): AsyncDisposable {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    let wait = times.firstWait;
    let lost = false;
    const held: Listening = {
      ...listening,
      onBack() {
        wait = times.firstWait;
        lost = false;
        listening.onBack?.();
      },
    };
    while (!stop.signal.aborted) {
      await hold(url, channel, held, stop.signal).catch((reason: unknown) => {
        if (!stop.signal.aborted && !lost) listening.onLost(reason);
        lost = true;
      });
      await delay(wait, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      wait = Math.min(wait * 2, times.longestWait);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
