import type { Api } from '../apis/index.ts';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';

/** Acting for somebody, which the token says, or as somebody, which it does not. */
export type ExchangeMode = 'delegation' | 'impersonation';

/** What a client may exchange tokens for. */
export interface ExchangeRight {
  readonly clientId: string;
  /** Identifier of the API that the new tokens are for. */
  readonly target: string;
  readonly mode: ExchangeMode;
  /** The scopes that a new token may have, each by name. */
  readonly scopes: readonly string[];
}

/** Where these rights are kept. */
export interface ExchangeRightStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  list(clientId: string): Promise<ExchangeRight[]>;
  /** Replaces what the client had for that target. */
  put(right: ExchangeRight, now: number): Promise<void>;
  remove(clientId: string, target: string): Promise<boolean>;
}

/** Who may exchange tokens (RFC 8693) and for what. Nobody may until an operator says so. */
export interface ExchangeRights {
  list(clientId: string): Promise<ExchangeRight[]>;
  /** @throws AppError `not_found`, `invalid_input`. */
  allow(right: ExchangeRight, by: Actor): Promise<void>;
  /** @throws AppError `not_found`. */
  remove(clientId: string, target: string, by: Actor): Promise<void>;
}

interface Needs {
  readonly store: ExchangeRightStore;
  readonly clients: { find(id: string): Promise<Client | undefined> };
  readonly apis: { find(identifier: string): Promise<Api | undefined> };
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  /** Identifier of the server's own API, where nobody acts for somebody else. */
  readonly ownApi: string;
}

const refuse = (fields: Readonly<Record<string, string>>): never => {
  throw new AppError('invalid_input', 'This token exchange cannot be allowed.', { fields });
};

async function check({ clients, apis, ownApi }: Needs, { clientId, target, scopes }: ExchangeRight): Promise<void> {
  const [client, api] = await Promise.all([clients.find(clientId), apis.find(target)]);
  if (!client) throw new AppError('not_found', `There is no client ${clientId}.`);
  if (client.metadata.token_endpoint_auth_method === 'none') {
    refuse({ clientId: 'Only a client that proves who it is may exchange tokens.' });
  }
  if (target === ownApi) refuse({ target: 'This API is for people themselves, and not for those who act for them.' });
  if (!api) return refuse({ target: `${target} is not a registered API.` });
  if (scopes.length === 0) refuse({ scopes: 'Name the scopes that new tokens may have.' });
  const missing = scopes.find((scope) => !api.scopes.some(({ name }) => name === scope));
  if (missing !== undefined) refuse({ scopes: `${target} has no scope ${missing}.` });
}

/** Makes the list of rights. Every change is audited in the same transaction. */
export function createExchangeRights(needs: Needs): ExchangeRights {
  const { store, audit, clock } = needs;
  return {
    list: (clientId) => store.list(clientId),

    async allow(given, by) {
      const right = { ...given, scopes: [...new Set(given.scopes)] };
      await check(needs, right);
      const { clientId, target, mode, scopes } = right;
      await store.transaction(async () => {
        await store.put(right, clock.now());
        const details = { target, mode, scopes };
        await audit.record({
          type: 'client.exchange_allowed',
          actor: by,
          outcome: 'success',
          subject: clientId,
          details,
        });
      });
    },

    async remove(clientId, target, by) {
      await store.transaction(async () => {
        if (!(await store.remove(clientId, target))) {
          throw new AppError('not_found', 'This client may not exchange tokens for that API anyway.');
        }
        await audit.record({
          type: 'client.exchange_removed',
          actor: by,
          outcome: 'success',
          subject: clientId,
          details: { target },
        });
      });
    },
  };
}
