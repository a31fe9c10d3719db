import type { Account } from '../accounts/index.ts';
import type { Client } from '../clients/index.ts';
import type { RevocationCheck } from '../revocation/index.ts';
import type { SessionMeta, Standing } from '../sessions/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { AppCookies, AppSession } from './app-cookies.ts';
import type { TokenFacts } from './judge-token.ts';

/** What decisions about requests at a proxy are made of. */
export interface ForwardAuthParts {
  readonly issuer: string;
  readonly clients: { find(id: string): Promise<Client | undefined> };
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly revocations: { isRevoked(checks: readonly RevocationCheck[]): Promise<boolean> };
  readonly sessions: { touch(uid: string, authTime: number, meta?: SessionMeta): Promise<Standing> };
  /** Uses up an authorization code; see `oidc/`. */
  readonly redeem: (
    code: string,
    bound: { readonly clientId: string; readonly redirectUri: string; readonly verifier: string },
  ) => Promise<Omit<AppSession, 'until'> | undefined>;
  readonly cookies: AppCookies;
  readonly clock: Clock;
  /** Issuer-relative paths of the protocol. */
  readonly paths: { readonly authorization: string; readonly end_session: string };
  /** Lives in seconds: of a session, and of a sign-in that is under way. */
  readonly sessionSeconds: number;
  readonly signInSeconds: number;
}

/** Says what a token is worth (RFC 7662), to whoever asks about it. */
export type AskToken = (token: string) => Promise<TokenFacts>;
