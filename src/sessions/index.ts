// Sessions: who is signed in where, how many of them there may be, and their end. Owns tables `session` and
// `session_client`. It holds no cookie and no token: the protocol's browser session is known by its uid, which oidc/
// binds here and throws away when told. Needs: audit, revocation, devices.
export type { SignedInBrowser } from './bind-session.ts';
export type { OpenResult, SessionRequest } from './open-session.ts';
export type { EndListener } from './parts.ts';
export type {
  EndedSession,
  EndReason,
  ListedSession,
  Session,
  SessionKind,
  SessionMeta,
  SessionPolicy,
} from './session.ts';
export type { ActivityStore, SessionStore } from './session-store.ts';
export { createSessions, type Sessions } from './sessions.ts';
export type { Standing } from './touch-session.ts';
