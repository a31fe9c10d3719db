import type { Actor, AuditEvent, AuditLog } from '../audit/index.ts';
import type { AccountId, ClientId } from '../shared/ids.ts';
import type { Consent } from './consent.ts';
import type { Consents } from './consents.ts';

/** The apps that a person lets use their account. Apps of the house are not among them: nobody was asked about those. */
export interface ConnectedApps {
  /** Last changed first. */
  list(accountId: AccountId): Promise<Consent[]>;
  /**
   * Takes everything back that they allowed the app: it is asked for again, and its grants and tokens are worth nothing
   * from now on. False when there was nothing; of several at once, one takes it back.
   */
  disconnect(accountId: AccountId, clientId: ClientId, by: Actor, meta?: EventMeta): Promise<boolean>;
}

type EventMeta = Pick<AuditEvent, 'ip' | 'userAgent' | 'requestId'>;

interface Needs {
  readonly consents: Pick<Consents, 'list' | 'remove'>;
  /** Ends every grant and token that the account gave the app; part of the transaction. */
  readonly endAccess: (accountId: AccountId, clientId: ClientId, by: Actor) => Promise<void>;
  readonly audit: Pick<AuditLog, 'record'>;
  /** Runs writes that belong together, joining the transaction that is already open. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Makes the part of the consents domain that lets people look back and change their mind. */
export const createConnectedApps = ({ consents, endAccess, audit, transaction }: Needs): ConnectedApps => ({
  list: (accountId) => consents.list(accountId),

  disconnect: (accountId, clientId, by, meta = {}) =>
    transaction(async () => {
      if (!(await consents.remove(accountId, clientId))) return false;
      await endAccess(accountId, clientId, by);
      await audit.record({
        ...meta,
        type: 'grant.revoked',
        actor: by,
        outcome: 'success',
        subject: accountId,
        clientId,
        details: { reason: 'the person took it back' },
      });
      return true;
    }),
});
