import type { Config } from '../config/load.ts';
import { reasonOf } from '../shared/errors.ts';
import { openRedis } from '../storage/redis.ts';
import type { Check } from './check.ts';

const waitMs = 3_000;

const settingOf = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

/** Whether Redis answers, and keeps what it is given. */
export async function checkRedis({ REDIS_URL, SALLYPORT_REDIS_TIMEOUT_MS }: Config): Promise<Check[]> {
  if (REDIS_URL === undefined) return [];
  const name = 'redis';
  const redis = openRedis(REDIS_URL, SALLYPORT_REDIS_TIMEOUT_MS);
  try {
    if (!(await redis.ready(waitMs))) {
      const fix = 'Is REDIS_URL right, does the server run, and does it accept this user?';
      return [{ name, status: 'fail', detail: `no answer within ${waitMs / 1000} s`, fix }];
    }
    const info = await redis.run((client) => client.info());
    const checks: Check[] = [
      { name, status: 'ok', detail: `Redis ${settingOf(info, 'redis_version') ?? 'of unknown version'}` },
    ];
    const policy = settingOf(info, 'maxmemory_policy');
    if (policy !== undefined && policy !== 'noeviction') {
      const detail = `maxmemory-policy ${policy} may drop live sessions and tokens`;
      checks.push({ name, status: 'warn', detail, fix: 'Set maxmemory-policy noeviction.' });
    }
    if (settingOf(info, 'aof_enabled') === '0') {
      const detail = 'no append-only file: a restart signs everybody out';
      checks.push({ name, status: 'warn', detail, fix: 'Set appendonly yes.' });
    }
    return checks;
  } catch (error) {
    return [{ name, status: 'fail', detail: reasonOf(error), fix: 'May this user run INFO?' }];
  } finally {
    await redis[Symbol.asyncDispose]();
  }
}

/** Whether the world finds this server under its issuer. */
export async function checkIssuer({ issuer, production }: Config, running: boolean): Promise<Check> {
  const name = 'issuer';
  const url = `${issuer}/.well-known/openid-configuration`;
  const notReached = (detail: string): Check => ({
    name,
    status: production || running ? 'fail' : 'warn',
    detail,
    fix: running
      ? 'Does SALLYPORT_ISSUER name this server, and does the proxy pass its host on?'
      : 'Start the server, then look again.',
  });
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(waitMs), redirect: 'manual' });
    if (!response.ok) return notReached(`${url} answers ${response.status}`);
    const metadata = (await response.json()) as { issuer?: unknown };
    if (metadata.issuer !== issuer) return notReached(`${url} names the issuer ${String(metadata.issuer)}`);
    return { name, status: 'ok', detail: `${issuer} answers` };
  } catch (error) {
    return notReached(
      `${url} cannot be reached: ${reasonOf(error instanceof Error && error.cause ? error.cause : error)}`,
    );
  }
}
