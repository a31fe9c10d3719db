import type { Account } from '../accounts/index.ts';
import type { ApiKeys } from '../api-keys/index.ts';
import type { Api } from '../apis/index.ts';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import type { Consents } from '../consents/index.ts';
import type { KeySet } from '../keys/index.ts';
import type { AddressRules } from '../locations/index.ts';
import type { RevocationCheck } from '../revocation/index.ts';
import type { AccountId } from '../shared/ids.ts';
import type { LeavingPort } from './back-channel.ts';
import type { SessionPort } from './session-port.ts';
import type { ExchangeRights } from './token-exchange-rights.ts';

/** What the protocol side needs to know of the domains, and no more. */
export interface OidcDomains {
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly apis: { find(identifier: string): Promise<Api | undefined>; list(): Promise<Api[]> };
  readonly clients: {
    find(id: string): Promise<Client | undefined>;
    verifySecret(id: string, secret: string): Promise<boolean>;
  };
  readonly apiKeys: Pick<ApiKeys, 'verify' | 'findLive'>;
  readonly exchangeRights: Pick<ExchangeRights, 'list'>;
  readonly consents: Consents;
  readonly keys: { current(): KeySet; onChange(listener: () => void): () => void };
  readonly revocations: {
    revoke(entry: {
      kind: 'token' | 'grant';
      id: string;
      expiresAt: number;
      reason: string;
      by?: Actor;
    }): Promise<void>;
    isRevoked(checks: readonly RevocationCheck[]): Promise<boolean>;
    isRevokedCached(checks: readonly RevocationCheck[]): boolean;
  };
  readonly audit: AuditLog;
  readonly sessions: SessionPort;
  readonly places: { readonly addressRules: AddressRules };
  readonly leaveApp: LeavingPort['leaveApp'];
  /** For whom a mailed code is the second step. */
  readonly mailedStep: 'off' | 'no-other-factor' | 'alternative';
  /** Whether a sign-in to this account asks for something beside the password. */
  hasSecondFactor(id: AccountId): Promise<boolean>;
  /** Whether tokens of this account may be issued, refreshed and accepted. */
  mayUseTokens(account: Account): boolean;
}
