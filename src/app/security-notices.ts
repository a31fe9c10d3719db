import type { Account } from '../accounts/index.ts';
import type { AuditEvent, AuditLog } from '../audit/index.ts';
import { describeBrowser, type NewMail, type Notifications } from '../notifications/index.ts';
import type { Clock } from '../shared/clock.ts';
import { type AccountId, asAccountId, randomText } from '../shared/ids.ts';

interface Needs {
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly notifications: Pick<Notifications, 'send'>;
  readonly clock: Clock;
  /** Runs writes that belong together, joining the transaction that is already open. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
}

type Notice = 'account-paused' | 'second-factor-enrolled' | 'backup-code-used';
type Notify = Pick<NewMail<Notice>, 'template' | 'data' | 'dedupeKey'>;

/** What an event has to say to its person; undefined when it is nothing that they need to hear of. */
function noticeOf(event: AuditEvent, at: number, timeZone: string | undefined): Notify | undefined {
  const { type, ip, userAgent, subject, details = {} } = event;
  const occasion = { at, ip, browser: describeBrowser(userAgent), timeZone };
  if (type === 'second_factor.enrolled') return { template: 'second-factor-enrolled', data: occasion };
  if (type === 'backup_code.used') {
    return { template: 'backup-code-used', data: { ...occasion, left: Number(details.left) } };
  }
  if (type !== 'sign_in.locked') return undefined;
  const until = Date.parse(String(details.until));
  // Tries at the same moment each record the same pause.
  const dedupeKey = subject && `paused ${subject} ${until}`;
  return { template: 'account-paused', data: { ...occasion, until, failures: Number(details.failures) }, dedupeKey };
}

const noticed: ReadonlySet<AuditEvent['type']> = new Set([
  'sign_in.locked',
  'second_factor.enrolled',
  'backup_code.used',
]);
/** Whose people hear of it: an address that was never confirmed belongs to an account that is not `active` yet. */
const heard: ReadonlySet<Account['status']> = new Set(['active', 'locked']);

/**
 * An audit log that also tells people what happened to their accounts, by mail to the stored address, in the same
 * transaction: no row without its mail and no mail without its row.
 */
export function withSecurityNotices(audit: AuditLog, { accounts, notifications, clock, transaction }: Needs): AuditLog {
  const notify = async (event: AuditEvent): Promise<void> => {
    // A name that nobody has takes the same steps, with a mail to nowhere at their end: else the time of the try that
    // sets the pause would tell which names are free.
    const account = await accounts.find(asAccountId(event.subject ?? randomText(24)));
    const notice = noticeOf(event, clock.now(), account?.profile.zoneinfo);
    if (!notice || (account && !heard.has(account.status))) return;
    await notifications.send({ ...notice, to: account?.email ?? randomText(20), account: account?.id });
  };
  return {
    list: (filter) => audit.list(filter),
    async record(event) {
      if (!noticed.has(event.type)) return audit.record(event);
      await transaction(async () => {
        await audit.record(event);
        await notify(event);
      });
    },
  };
}
