import type { Account } from '../accounts/index.ts';
import type { Api } from '../apis/index.ts';
import type { Actor, AuditEvent, AuditLog } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';

/** From where a change comes, for the audit log. */
export type KeyContext = Pick<AuditEvent, 'ip' | 'userAgent' | 'requestId' | 'clientId'>;

/** Who may have keys: nobody, only whom an operator gives one, or everybody their own. */
export type KeyMode = 'off' | 'operators' | 'everyone';

/** What the domain is made of. */
export interface KeyParts {
  readonly store: ApiKeyStore;
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly apis: { find(identifier: string): Promise<Api | undefined> };
  readonly clients: { find(id: string): Promise<Client | undefined> };
  readonly revocations: Pick<Revocations, 'isRevokedCached'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly mode: KeyMode;
}

export const day = 86_400_000;

type KeyEvent = 'api_key.created' | 'api_key.rotated' | 'api_key.revoked' | 'api_key.used_first';

/** A row about a key. It stands with its owner, so that a person finds it in their activity. */
export const eventOf = (
  type: KeyEvent,
  key: ApiKey,
  by: Actor,
  { context, details }: { readonly context?: KeyContext | undefined; readonly details?: AuditEvent['details'] } = {},
): AuditEvent => ({
  ...context,
  type,
  actor: by,
  outcome: 'success',
  subject: key.owner.id,
  details: { key: key.id, name: key.name, audience: key.audience, ...details },
});
