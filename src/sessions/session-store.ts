import type { AccountId, SessionId } from '../shared/ids.ts';
import type { EndedSession, EndReason, StoredSession } from './session.ts';

/** A session to be stored. */
export type NewSession = Omit<StoredSession, 'clientIds' | 'endedAt'> & {
  /** SHA-256 of the sign-in that it comes from. */
  readonly flowHash: string | undefined;
};

/** What a browser proved when it came with its session. */
export interface Facts {
  readonly amr: readonly string[];
  readonly acr: string | undefined;
  readonly authenticatedAt: number;
  readonly expiresAt: number;
  readonly now: number;
  readonly grants: readonly { readonly clientId: string; readonly grantId: string }[];
}

/** Which sessions a decision is about: that of a sign-in, that of a browser, and all that are open. */
export interface Wanted {
  readonly flowHash?: string | undefined;
  readonly uid?: string | undefined;
  readonly open?: boolean;
}

/** Those that were wanted and are there. `open` as `listOpen`. */
export interface Standings {
  readonly ofFlow: StoredSession | undefined;
  readonly ofUid: StoredSession | undefined;
  readonly open: readonly StoredSession[];
}

/** The session that a sign-in has opened. */
export interface SignInKey {
  readonly accountId: AccountId;
  readonly flowHash: string;
}

/** How to find a session. By uid, the open one comes before those that ended, and the latest of those first. */
export type SessionKey = { readonly id: string } | { readonly uid: string } | { readonly flowHash: string } | GrantKey;

/** What an app holds of an open session; of any app when none is said. */
export interface GrantKey {
  readonly accountId: AccountId;
  readonly clientId?: string | undefined;
  readonly grantId: string;
}

/** Where sessions are kept. */
export interface SessionStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Lets one transaction at a time decide about the sessions of an account, and says what there is to decide about.
   * One round trip.
   */
  lock(accountId: AccountId, wanted: Wanted): Promise<Standings>;
  insert(session: NewSession): Promise<void>;
  find(key: SessionKey): Promise<StoredSession | undefined>;
  /** Those that did not end, newest first; some may have expired. */
  listOpen(accountId: AccountId): Promise<StoredSession[]>;
  /**
   * Ties a session with its grants to its browser, or takes in a fresh sign-in of it. False when it has ended. One that
   * is named by its sign-in is tied only as long as it and the browser had no other, under the account's lock; one round trip.
   */
  bind(session: SessionId | SignInKey, uid: string, facts: Facts): Promise<boolean>;
  /** Ends those of these that nobody has ended, and returns them with all that they were used for. */
  end(
    ids: readonly string[],
    how: { readonly reason: EndReason; readonly by: string; readonly now: number },
  ): Promise<EndedSession[]>;
  /** Deletes up to `limit` sessions that ended before then, and says how many. */
  purge(before: number, limit: number): Promise<number>;
}

/** A session that is used again. */
export interface TouchedSession {
  readonly fresh: boolean;
  readonly endedAt: number | undefined;
  readonly id: string;
  readonly accountId: AccountId;
  /** Its last activity before this. */
  readonly before: { readonly at: number; readonly ip: string | undefined };
}

/** A session by that of its browser, or by its own handle. */
export type UseKey = { readonly uid: string } | { readonly id: string };

/** What is known of a session's use. */
export interface ActivityStore {
  /**
   * Notes activity, at most once in {@link activityInterval}, and says how the session stands. One statement. Undefined
   * when there is none. From another address it notes nothing: that is for {@link ActivityStore.move}, once it may.
   */
  touch(
    key: UseKey,
    at: { readonly now: number; readonly idleSince: number; readonly ip: string | undefined },
  ): Promise<TouchedSession | undefined>;
  /** Notes that an open session is used from this address now. True for one of many who say so at the same moment. */
  move(id: string, to: { readonly now: number; readonly ip: string }): Promise<boolean>;
  /** Notes which grants a session has. False when it has ended, also in this moment. */
  addGrants(
    sessionKey: UseKey,
    grants: readonly { readonly clientId: string; readonly grantId: string }[],
    now: number,
  ): Promise<boolean>;
  /** Up to `limit` open sessions that are too old or idle for too long. */
  listDue(now: number, idleSince: number, limit: number): Promise<{ readonly id: string; readonly idle: boolean }[]>;
  /** Up to `limit` open sessions whose person last proved who they are at or before that moment. */
  listSignedInBefore(moment: number, limit: number): Promise<string[]>;
}
