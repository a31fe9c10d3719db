import type { AccountData } from '../account-data/index.ts';
import type { AccountLife, Accounts } from '../accounts/index.ts';
import type { ApiKeys } from '../api-keys/index.ts';
import type { Apis } from '../apis/index.ts';
import type { SealedData } from '../app/sealed-data.ts';
import type { Actor, AuditChain, AuditLog, AuditReader } from '../audit/index.ts';
import type { BackChannel } from '../back-channel/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Credentials, PasswordPolicy } from '../credentials/index.ts';
import type { Keys } from '../keys/index.ts';
import type { ExchangeRights } from '../oidc/index.ts';
import type { Passkeys } from '../passkeys/index.ts';
import type { Recovery } from '../recovery/index.ts';
import type { Registration } from '../registration/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Risk } from '../risk/index.ts';
import type { Sessions } from '../sessions/index.ts';
import type { UserImport } from '../user-import/index.ts';
import type { Webhooks } from '../webhooks/index.ts';

/** What commands work on: the domains of a running server, or ones that were opened for one command. */
export interface Domains {
  /** Where people and apps find the server. */
  readonly issuer: string;
  readonly accountData: AccountData;
  readonly accountLife: Pick<AccountLife, 'prove'>;
  readonly accounts: Accounts;
  readonly apiKeys: Pick<ApiKeys, 'create' | 'find' | 'list' | 'rotate' | 'revoke' | 'revokeIssuedBefore'>;
  readonly apis: Apis;
  readonly audit: AuditLog;
  readonly auditChain: Pick<AuditChain, 'check' | 'status'>;
  readonly auditReader: AuditReader;
  readonly backChannel: Pick<BackChannel, 'find' | 'list'>;
  readonly clients: Clients;
  readonly credentials: Pick<Credentials, 'setPassword' | 'factorsOf' | 'totp'>;
  readonly passkeys: Pick<Passkeys, 'usable' | 'countOf'>;
  readonly passwordPolicy: Pick<PasswordPolicy, 'enforce' | 'generate' | 'isShortAlone' | 'requireChange'>;
  readonly recovery: Pick<Recovery, 'issueLink'>;
  readonly registration: Pick<Registration, 'invite'>;
  readonly exchangeRights: ExchangeRights;
  readonly keys: Pick<Keys, 'prepare' | 'list' | 'rotate' | 'revoke'>;
  readonly revocations: Pick<Revocations, 'revoke' | 'list' | 'count' | 'statistics'>;
  readonly risk: Pick<Risk, 'standingOf'>;
  readonly sealedData: SealedData;
  readonly sessions: Pick<Sessions, 'list' | 'end' | 'endAll' | 'endRevoked' | 'endSignedInBefore'>;
  readonly userImport: UserImport;
  readonly webhooks: Pick<Webhooks, 'add' | 'list' | 'remove' | 'enable' | 'rotateSecret' | 'test' | 'deliveries'>;
}

/** Who acts when a command does. */
export const operator: Actor = { kind: 'operator' };
