import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { Resources } from '../shared/resources.ts';
import type { Artifacts } from './artifacts.ts';
import { auditJobs } from './audit.ts';
import type { Domains } from './domains.ts';

interface Job {
  readonly name: string;
  readonly everySeconds: number;
  /** Once more at the end, because what it writes is in memory until then. */
  readonly atTheEnd?: true;
  run(): Promise<number>;
}

/** Runs a job again and again, never two at once; a failure is logged and the next turn tries again. */
function repeat({ name, everySeconds, atTheEnd, run }: Job, logger: Logger): AsyncDisposable {
  let running: Promise<unknown> = Promise.resolve();
  const turn = async (): Promise<void> => {
    try {
      const done = await run();
      if (done > 0) logger.debug({ job: name, rows: done }, 'a job cleaned up');
    } catch (error) {
      logger.warn({ job: name, reason: reasonOf(error) }, 'a job failed and will be tried again');
    }
  };
  // Spread out, so that the nodes of an installation do not all work at the same second.
  const timer = setInterval(
    () => {
      running = running.then(turn);
    },
    everySeconds * (900 + Math.random() * 200),
  );
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
      if (atTheEnd) await turn();
    },
  };
}

/** Everything that runs beside the requests: mail is sent, and what has expired is deleted, in batches. */
export function startJobs({
  artifacts,
  domains,
  logger,
}: {
  artifacts: Artifacts;
  domains: Domains;
  logger: Logger;
}): AsyncDisposable {
  const stack = new Resources();
  const jobs: readonly Job[] = [
    { name: 'purge-artifacts', everySeconds: 60, run: () => artifacts.purge() },
    { name: 'purge-sign-ins', everySeconds: 300, run: () => domains.signIn.purge() },
    { name: 'purge-enrolments', everySeconds: 300, run: () => domains.credentials.purge() },
    { name: 'purge-passkey-challenges', everySeconds: 300, run: () => domains.passkeys.purge() },
    { name: 'purge-revocations', everySeconds: 300, run: () => domains.revocations.purge() },
    { name: 'purge-status-lists', everySeconds: 60, run: () => domains.statusLists.purge() },
    { name: 'note-api-key-uses', everySeconds: 60, atTheEnd: true, run: () => domains.apiKeys.noteUses() },
    { name: 'purge-risk-findings', everySeconds: 3600, run: () => domains.risk.purge() },
    { name: 'purge-api-keys', everySeconds: 3600, run: () => domains.apiKeys.purge() },
    { name: 'purge-sessions', everySeconds: 60, run: () => domains.sessions.purge() },
    { name: 'purge-devices', everySeconds: 3600, run: () => domains.devices.purge() },
    { name: 'purge-one-time-secrets', everySeconds: 300, run: () => domains.oneTimeSecrets.purge() },
    { name: 'purge-registrations', everySeconds: 3600, run: () => domains.registration.purge() },
    { name: 'purge-recoveries', everySeconds: 3600, run: () => domains.recovery.purge() },
    { name: 'purge-accounts', everySeconds: 3600, run: () => domains.accountData.purge() },
    { name: 'purge-webhooks', everySeconds: 300, run: () => domains.webhooks.purge() },
    { name: 'purge-logouts', everySeconds: 300, run: () => domains.backChannel.purge() },
    { name: 'purge-mail', everySeconds: 300, run: () => domains.notifications.purge() },
    ...auditJobs(domains, logger),
  ];
  for (const job of jobs) stack.use(repeat(job, logger));
  stack.use(domains.notifications.start());
  stack.use(domains.backChannel.start());
  stack.use(
    domains.revocations.start({
      onError: (error) => logger.warn({ reason: reasonOf(error) }, 'revocations could not be read'),
    }),
  );
  return stack;
}
