import type { GuardedGet } from '../outgoing/index.ts';
import type { Clock } from '../shared/clock.ts';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** Longest document of a client, in bytes: hundreds of keys. */
export const longestDocument = 256 * 1024;

/** Keys of one client. Each that fits may be tried for one signature. */
const mostKeys = 64;

/** Milliseconds for which a failure is remembered, so that whoever names a client cannot make us ask at will. */
const memory = 10_000;
const mostRemembered = 1000;

/** How the provider reads what clients publish (`jwks_uri`). */
export type ClientDocuments = (url: string, options: RequestInit) => Promise<Response>;

function assertUsable(body: Buffer): void {
  const document = JSON.parse(body.toString()) as { readonly keys?: unknown } | null;
  const keys = document?.keys;
  if (Array.isArray(keys) && keys.length > mostKeys) throw new Error(`There are more than ${mostKeys} keys.`);
}

/** Lets the provider read documents of clients by `get`. A failure stands for some seconds, whoever asks. */
export function createClientDocuments(parts: {
  readonly get: GuardedGet;
  readonly clock: Clock;
  readonly logger: Logger;
}): ClientDocuments {
  const { get, clock, logger } = parts;
  const failures = new Map<string, { readonly until: number; readonly reason: string }>();

  const remember = (url: string, reason: string): void => {
    failures.delete(url);
    const [oldest] = failures.keys();
    if (oldest !== undefined && failures.size >= mostRemembered) failures.delete(oldest);
    failures.set(url, { until: clock.now() + memory, reason });
    logger.warn({ url, reason }, 'what a client publishes could not be read');
  };

  return async (url, { method = 'GET' }) => {
    if (method !== 'GET') throw new Error('The provider only reads.');
    const failed = failures.get(url);
    if (failed && failed.until > clock.now()) throw new Error(failed.reason);
    try {
      const { headers, body } = await get(url, {});
      assertUsable(body);
      return new Response(new Uint8Array(body), { headers });
    } catch (error) {
      remember(url, reasonOf(error));
      throw error;
    }
  };
}
