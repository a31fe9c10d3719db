import type { Accounts } from '../accounts/index.ts';
import type { Apis } from '../apis/index.ts';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Credentials } from '../credentials/index.ts';
import type { Keys } from '../keys/index.ts';

/** What commands work on: the domains of a running server, or ones that were opened for one command. */
export interface Domains {
  readonly accounts: Accounts;
  readonly apis: Apis;
  readonly audit: AuditLog;
  readonly clients: Clients;
  readonly credentials: Pick<Credentials, 'setPassword' | 'factorsOf' | 'totp'>;
  readonly keys: Pick<Keys, 'prepare' | 'list' | 'rotate' | 'revoke'>;
}

/** Who acts when a command does. */
export const operator: Actor = { kind: 'operator' };
