import type { Account } from '../accounts/index.ts';
import type { AuditEvent, AuditLog } from '../audit/index.ts';
import {
  describeBrowser,
  type MailData,
  type MailTemplate,
  type NewMail,
  type Notifications,
} from '../notifications/index.ts';
import type { Clock } from '../shared/clock.ts';
import { type AccountId, asAccountId, randomText } from '../shared/ids.ts';

interface Needs {
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly notifications: Pick<Notifications, 'send'>;
  readonly clock: Clock;
  /** Runs writes that belong together, joining the transaction that is already open. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether a sign-in with a new browser is told. */
  readonly tellsOfNewDevices?: boolean;
  /** Where a new password can be asked for; mails link there when it is given. */
  readonly resetPath?: string | undefined;
}

type Occasion = MailData['second-factor-enrolled'];
type Notice = Pick<NewMail<MailTemplate>, 'template' | 'data' | 'dedupeKey'>;

/** An event, when it happened, and to whom. */
interface Happening {
  readonly event: AuditEvent;
  readonly details: NonNullable<AuditEvent['details']>;
  readonly occasion: Occasion;
  readonly account: Account | undefined;
  readonly resetPath: string | undefined;
}

type Writer = (happening: Happening) => Notice | undefined;

/** A mail that says what its template says, with when and from where. */
const plainly =
  <Template extends MailTemplate>(template: Occasion extends MailData[Template] ? Template : never): Writer =>
  ({ occasion }) => ({ template, data: occasion });

const named =
  (template: 'passkey-added' | 'passkey-removed'): Writer =>
  ({ occasion, details }) => ({
    template,
    data: { ...occasion, ...(typeof details.name === 'string' && { passkey: details.name }) },
  });

const day = 86_400_000;

/** What a sign of somebody else is to its person. */
const signTexts: Readonly<Record<string, string>> = {
  'new-device': 'It came from a browser that your account has not used before.',
  'address-changed': 'A browser or app that is signed in came from another network than before.',
  'impossible-travel': 'It came from a place that you cannot have reached since the last time.',
  'token-reuse': 'A key of an app was used twice, so somebody may have copied it.',
  'many-accounts': 'It came from an address that tried many accounts.',
  'listed-address': 'It came from an address that is known for attacks.',
};

/** What an event has to say to its person. A change of address that is made tells the old one by itself: only it knows that. */
const writers: Partial<Record<AuditEvent['type'], Writer>> = {
  'second_factor.enrolled': plainly('second-factor-enrolled'),
  'second_factor.removed': plainly('second-factor-removed'),
  'passkey.added': named('passkey-added'),
  'passkey.removed': named('passkey-removed'),
  'recovery_link.used': plainly('account-recovered'),
  // The first ones come with the second factor, which is told of.
  'backup_codes.created': ({ occasion, details }) =>
    details.replaced === true ? { template: 'backup-codes-replaced', data: occasion } : undefined,
  // To the address that the account still has.
  'email.change_requested': ({ occasion, resetPath }) => ({
    template: 'email-change-requested',
    data: { ...occasion, resetPath },
  }),
  'backup_code.used': ({ occasion, details }) => ({
    template: 'backup-code-used',
    data: { ...occasion, left: Number(details.left) },
  }),
  // A first password takes the place of none.
  'password.changed': ({ occasion, details, resetPath }) =>
    details.first === true ? undefined : { template: 'password-changed', data: { ...occasion, resetPath } },
  // The browser that an account was just made in is no news; the first one of an old account may be a stranger's.
  'device.first_seen': ({ occasion, details, account }) =>
    details.first === true && account && occasion.at - account.createdAt < day
      ? undefined
      : {
          template: 'new-sign-in',
          data: { ...occasion, ...(typeof details.app === 'string' && { app: details.app }) },
        },
  'risk.detected': ({ occasion, details, resetPath }) => {
    const { action, signals } = details;
    if (action === 'note' || !Array.isArray(signals)) return undefined;
    const signs = signals.flatMap((signal: string) => signTexts[signal] ?? []);
    return {
      template: 'unusual-activity',
      data: {
        ...occasion,
        signs,
        ended: action === 'end' || (action === 'second-factor' && 'session' in details),
        resetPath,
      },
    };
  },
  'sign_in.locked': ({ event, occasion, details }) => {
    const until = Date.parse(String(details.until));
    // Tries at the same moment each record the same pause.
    const dedupeKey = event.subject && `paused ${event.subject} ${until}`;
    return { template: 'account-paused', data: { ...occasion, until, failures: Number(details.failures) }, dedupeKey };
  },
};

/** What is told of when it failed, too. */
const alsoFailed: ReadonlySet<AuditEvent['type']> = new Set(['sign_in.locked', 'risk.detected']);

/** Whose people hear of it: an address that was never confirmed belongs to an account that is not `active` yet. */
const heard: ReadonlySet<Account['status']> = new Set(['active', 'locked']);

/**
 * An audit log that also tells people what happened to their accounts, by mail to the stored address, in the same
 * transaction: no row without its mail and no mail without its row. What failed is told of when it is a lock-out or a risk.
 */
export function withSecurityNotices(audit: AuditLog, needs: Needs): AuditLog {
  const { accounts, notifications, clock, transaction, resetPath } = needs;

  const notify = async (event: AuditEvent, write: Writer): Promise<void> => {
    // A name that nobody has takes the same steps, with a mail to nowhere at their end: else the time of the try that
    // sets the pause would tell which names are free.
    const account = await accounts.find(asAccountId(event.subject ?? randomText(24)));
    const { ip, userAgent, details = {} } = event;
    const timeZone = account?.profile.zoneinfo;
    const occasion = { at: clock.now(), ip, browser: describeBrowser(userAgent), timeZone };
    const notice = write({ event, details, occasion, account, resetPath });
    if (!notice || (account && !heard.has(account.status))) return;
    await notifications.send({ ...notice, to: account?.email ?? randomText(20), account: account?.id });
  };

  return {
    ...audit,
    async record(event) {
      if (event.type === 'device.first_seen' && needs.tellsOfNewDevices === false) return audit.record(event);
      const write = event.outcome === 'success' || alsoFailed.has(event.type) ? writers[event.type] : undefined;
      if (!write) return audit.record(event);
      await transaction(async () => {
        await audit.record(event);
        await notify(event, write);
      });
    },
  };
}
