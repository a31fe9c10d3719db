import type { EndedSession } from '../sessions/index.ts';
import { type AccountId, asClientId, type ClientId, randomText, type SessionId } from '../shared/ids.ts';
import { sidOf } from './sid.ts';

/**
 * `pending` is due or waits for another try; `failed` was given up; `superseded` was not sent, because the same browser
 * had signed in again in the same session before the app was told that its time was over.
 */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'superseded';

/** One app that is told of the end of one session. Times are milliseconds since the epoch. */
export interface LogoutDelivery {
  /** `jti` of the logout token, the same at each try. */
  readonly id: string;
  readonly sessionId: SessionId;
  readonly accountId: AccountId;
  readonly clientId: ClientId;
  readonly sid: string;
  /** Why the session ended. */
  readonly reason: EndedSession['reason'];
  readonly status: DeliveryStatus;
  /** Tries that were begun. */
  readonly attempts: number;
  readonly createdAt: number;
  /** Of a pending one: when the next try is due. */
  readonly nextAt?: number;
  readonly settledAt?: number;
  /** HTTP status of the last answer. */
  readonly answer?: number;
  /** Why the last try failed, for the operator. */
  readonly error?: string;
}

export type NewDelivery = Pick<LogoutDelivery, 'id' | 'sessionId' | 'accountId' | 'clientId' | 'sid' | 'reason'>;

/** What has to be known of a session that ended; `grants` are all that it ever had. */
export type EndedForApps = Pick<EndedSession, 'id' | 'accountId' | 'uid' | 'grants' | 'reason'>;

/** Whom to tell, whether they listen or not. A session by API has its own id as `sid` in its tokens. */
export function deliveriesOf({ id, accountId, uid, grants, reason }: EndedForApps): NewDelivery[] {
  return [...new Set(grants.map(({ clientId }) => clientId))].map((clientId) => ({
    id: `lgo_${randomText(24)}`,
    sessionId: id,
    accountId,
    clientId: asClientId(clientId),
    sid: uid === undefined ? id : sidOf(uid, clientId),
    reason,
  }));
}

/** Ends that a person answers by signing in again in the same browser; its apps go on with the same `sid`. */
export const isBySilence = (reason: EndedSession['reason']): boolean => reason === 'idle' || reason === 'expired';

/** How a try went: an HTTP status, or why there was none. `final` says that another try is no use. */
export type Answer = { readonly status: number } | { readonly error: string; readonly final?: boolean };

/** What an answer means: the app has it, it never will, or another try may help. */
export function meaningOf(answer: Answer): 'delivered' | 'failed' | 'again' {
  if ('error' in answer) return answer.final ? 'failed' : 'again';
  const { status } = answer;
  if (status >= 200 && status < 300) return 'delivered';
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'failed' : 'again';
}
