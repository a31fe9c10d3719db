import type { EndedSession, SessionMeta, SignedInBrowser, Standing } from '../sessions/index.ts';
import type { AccountId } from '../shared/ids.ts';

/** What the protocol side needs of the sessions domain. */
export interface SessionPort {
  bind(browser: SignedInBrowser, meta?: SessionMeta): Promise<'open' | 'ended'>;
  addGrant(uid: string, grant: { readonly clientId: string; readonly grantId: string }): Promise<boolean>;
  touch(uid: string, authTime: number, meta?: SessionMeta): Promise<Standing>;
  /** The same for the session of a direct sign-in, by its handle. */
  touchApp(id: string, meta?: SessionMeta): Promise<Standing>;
  /** The open session of a browser. */
  findByUid(uid: string): Promise<{ readonly lastActiveAt: number } | undefined>;
  /** The handle of an open session, for the audit log. */
  handleOf(
    key: { readonly uid: string } | { readonly accountId: AccountId; readonly grantId: string },
  ): Promise<string | undefined>;
  signOut(uid: string, by: { kind: 'account'; id: string }, meta?: SessionMeta): Promise<boolean>;
  end(id: string, by: { kind: 'client'; id: string }, reason: 'signed-out'): Promise<boolean>;
  onEnd(listener: (ended: EndedSession) => Promise<void>): () => void;
}
