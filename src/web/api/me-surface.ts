import type { AccountData } from '../../account-data/index.ts';
import type { AccountSettings, ChangeContext } from '../../account-settings/index.ts';
import type { Accounts } from '../../accounts/index.ts';
import type { Apis } from '../../apis/index.ts';
import type { AuditReader } from '../../audit/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { ConnectedApps } from '../../consents/index.ts';
import type { Registration } from '../../registration/index.ts';
import type { Risk } from '../../risk/index.ts';
import type { Session, Sessions } from '../../sessions/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { AccountLimits } from '../account-console/account-limits.ts';
import type { RequestMeta } from '../request-meta.ts';
import type { PersonCaller } from './operation.ts';

/** What the operations below `/me` are made of: the same functions as the pages of the account console. */
export interface MeSurface {
  readonly accounts: Pick<Accounts, 'update'>;
  readonly registration: Pick<Registration, 'changeEmail'>;
  readonly accountSettings: AccountSettings;
  readonly sessions: Pick<Sessions, 'list' | 'findByUid' | 'findByGrant' | 'end' | 'endOthers'>;
  readonly risk: Pick<Risk, 'standingOf'>;
  readonly connectedApps: ConnectedApps;
  readonly auditReader: AuditReader;
  readonly accountData: Pick<AccountData, 'export' | 'delete' | 'purgesAt'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly apis: Pick<Apis, 'find'>;
  readonly limits: Pick<AccountLimits, 'username'>;
  readonly clock: Clock;
}

/** Whom the audit log names. */
export const actorOf = ({ account }: PersonCaller) => ({ kind: 'account', id: account.id }) as const;

/** From where and through which app a change comes. */
export const contextOf = ({ by }: PersonCaller, meta: RequestMeta): ChangeContext => ({
  ...meta,
  ...(by.kind === 'app' && { clientId: by.clientId }),
});

/**
 * Whose set-up it is. One that was begun in a browser goes on in that browser, one by an app with any token that the app
 * has of this person: its tokens change every few minutes.
 */
export const bindingOf = ({ by, account }: PersonCaller, purpose: string): string =>
  by.kind === 'browser' ? `api ${purpose} browser ${by.uid}` : `api ${purpose} app ${by.clientId} ${account.id}`;

/**
 * The session that calls: the one in which an app got the grant that its token comes from. Undefined when
 * there is none, for example for a device without a browser.
 */
export async function sessionOf(
  { sessions }: Pick<MeSurface, 'sessions'>,
  { by, account }: PersonCaller,
): Promise<Session | undefined> {
  if (by.kind === 'browser') return sessions.findByUid(by.uid);
  const { clientId, grantId } = by;
  return grantId === undefined ? undefined : sessions.findByGrant({ accountId: account.id, clientId, grantId });
}

/** A moment as answers have it. */
export const isoOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
