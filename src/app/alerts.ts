import { createSqlAlertStore } from '../alerts/alert-store-sql.ts';
import {
  type Alert,
  type Alerts,
  createAlerts,
  type Facts,
  type OperationsReader,
  windowSeconds,
} from '../alerts/index.ts';
import type { AuditType } from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import type { KeyView } from '../keys/index.ts';
import type { Clock } from '../shared/clock.ts';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import type { Domains } from './domains.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly domains: Pick<Domains, 'audit' | 'auditChain' | 'statistics' | 'keys' | 'notifications'>;
  readonly operations: OperationsReader;
  /** Whether this node has given up asking Redis for the moment. */
  readonly breakerOpen: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Seconds between two looks, and how long a rule is quiet before its incident is over. */
const every = 30;
const quiet = windowSeconds;
const day = 86_400;
const idle = { waiting: 0, oldestSeconds: 0 };

/** Seconds that a signer is past the moment at which its successor should have taken over. */
export function keysLateSeconds(
  keys: readonly KeyView[],
  now: number,
  { rotation, publish }: { readonly rotation: number; readonly publish: number },
): number {
  const due = keys.flatMap(({ state, since }) => {
    if (state === 'signing') return [(since.signing ?? now) + Math.max(rotation, publish) * 1000];
    return state === 'pending' ? [since.pending ?? now] : [];
  });
  return Math.max(0, ...due.map((at) => (now - at) / 1000));
}

async function gather(needs: Needs): Promise<Facts> {
  const { config, domains, operations, clock, breakerOpen } = needs;
  const now = clock.now();
  const bucketMilliseconds = windowSeconds * 1000;
  const count = async (types: readonly AuditType[]): Promise<number> => {
    const since = now - bucketMilliseconds;
    const [found = 0] = await domains.statistics.count({ types, since, bucketMilliseconds, buckets: 1 });
    return found;
  };
  const { mail, webhooks } = await operations.read(now);
  const { waitingSince } = await domains.auditChain.status();
  const { ready, problem } = domains.keys.health();
  const policy = { rotation: config.SALLYPORT_KEY_ROTATION_SECONDS, publish: config.SALLYPORT_KEY_PUBLISH_SECONDS };
  return {
    failedSignIns: await count(['sign_in.failed', 'second_factor.failed']),
    lockouts: await count(['sign_in.locked']),
    tokenReuses: await count(['token.reuse_detected']),
    disabledWebhooks: await count(['webhook.disabled']),
    // Without a mail server mails wait by design, and the log said so at the start.
    mail: config.SALLYPORT_SMTP_URL === undefined ? idle : mail,
    webhooks,
    keysLateSeconds: keysLateSeconds(await domains.keys.list(), now, policy),
    ...(!ready && { keysProblem: problem ?? 'the signing keys are not loaded' }),
    breakerOpen: breakerOpen(),
    auditSealSeconds: waitingSince === undefined ? 0 : (now - waitingSince) / 1000,
  };
}

/** Mails the alert to everybody who is named; each has a cap of its own. */
function tellByMail({ config, domains }: Needs): (alert: Alert) => Promise<void> {
  return async ({ rule, kind, since, at, verdict }) => {
    const data = { rule, kind, since, at, summary: verdict.summary };
    for (const to of config.SALLYPORT_ALERT_MAIL) {
      await domains.notifications.send({ to, template: 'operator-alert', data });
    }
  };
}

/** The alert rules on the facts of this installation. */
export function createAlertRules(needs: Needs): Alerts {
  const { config, database, domains, clock } = needs;
  return createAlerts({
    store: createSqlAlertStore(database),
    clock,
    audit: domains.audit,
    facts: () => gather(needs),
    tell: tellByMail(needs),
    thresholds: {
      failedSignIns: config.SALLYPORT_ALERT_FAILED_SIGN_INS,
      lockouts: config.SALLYPORT_ALERT_LOCKOUTS,
      tokenReuses: config.SALLYPORT_ALERT_TOKEN_REUSES,
      stuck: config.SALLYPORT_ALERT_STUCK_SECONDS,
    },
    policy: { throttle: config.SALLYPORT_ALERT_THROTTLE_SECONDS, remind: day, quiet },
    every,
  });
}

/** Evaluates the rules again and again until disposed. A failure is logged; while SQL is away nothing can be told. */
export function startAlerts(needs: Needs): AsyncDisposable {
  const alerts = createAlertRules(needs);
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;
  const turn = async (): Promise<void> => {
    if (stopped) return;
    const told = await alerts.evaluate().catch((error: unknown) => {
      needs.logger.warn({ reason: reasonOf(error) }, 'the alert rules could not be looked at');
      return 0;
    });
    if (told > 0) needs.logger.warn({ alerts: told }, 'alerts were raised or are over; the audit log says which');
  };
  const timer = setInterval(() => {
    running = running.then(turn);
  }, every * 1000).unref();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
