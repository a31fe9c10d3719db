import type { AuditLog } from '../audit/index.ts';
import type { AuditContext } from '../credentials/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import { addPasskey } from './add-passkey.ts';
import {
  beginAuthentication,
  beginRegistration,
  type CreationOptions,
  type PasskeyOwner,
  type RequestOptions,
} from './begin-ceremony.ts';
import { type Passkey, readName, type StoredPasskey, type UsedPasskey, viewOf } from './passkey.ts';
import type { PasskeyStore } from './passkey-store.ts';
import { hasUsableId, type RelyingParty } from './relying-party.ts';
import { type AccountSignals, accountSignals, type UnknownSignal, unknownSignal } from './signals.ts';
import { usePasskey } from './use-passkey.ts';

/**
 * Passkeys (WebAuthn L3). A ceremony has two halves: `begin…` gives options for the browser and opens a challenge that
 * lives five minutes, `finish…` takes what the browser gave, as JSON text or parsed. `binding` names whose ceremony it
 * is, for example one sign-in of one browser; the other half has to name the same.
 */
export interface Passkeys {
  /** Whether browsers can make passkeys for this issuer: not when its host is a bare address. */
  readonly usable: boolean;
  /** @throws AppError `conflict` when the account has 20 already. */
  beginRegistration(owner: PasskeyOwner, binding: string, options?: { automatic?: boolean }): Promise<CreationOptions>;
  /**
   * Adds the passkey; without a name it gets one from its provider or browser. Not inside a transaction that rolls back
   * when it throws, or the challenge is good again. @throws AppError `invalid_input`, `expired`, `conflict`
   */
  finishRegistration(
    owner: Pick<PasskeyOwner, 'id'>,
    binding: string,
    response: unknown,
    name?: string,
    context?: AuditContext,
  ): Promise<Passkey>;
  /** Without an account for a first door, where the passkey says who it is; with one for a second door or a step-up. */
  beginAuthentication(binding: string, accountId?: AccountId): Promise<RequestOptions>;
  /** Who it is, undefined for whatever proves nothing: one answer for all of it. Whether they may sign in is not asked. */
  finishAuthentication(binding: string, response: unknown, context?: AuditContext): Promise<UsedPasskey | undefined>;
  /** Oldest first. */
  list(accountId: AccountId): Promise<Passkey[]>;
  countOf(accountId: AccountId): Promise<number>;
  /** @throws AppError `not_found`, `invalid_input` */
  rename(accountId: AccountId, passkeyId: string, name: string, context?: AuditContext): Promise<Passkey>;
  /** @throws AppError `not_found` */
  remove(accountId: AccountId, passkeyId: string, context?: AuditContext): Promise<void>;
  /** Takes all of them away, and says how many. */
  removeAll(accountId: AccountId, context?: AuditContext): Promise<number>;
  /** For a page that refuses a response: which passkey the browser may stop offering, if it is one that nobody has. */
  unknownSignal(response: unknown): Promise<UnknownSignal | undefined>;
  /** For pages of a signed-in person, and no others: the list says what an account has. */
  accountSignals(owner: PasskeyOwner): Promise<AccountSignals | undefined>;
  /** Drops challenges that nobody answered, and says how many. */
  purge(): Promise<number>;
}

export interface PasskeysOptions {
  readonly store: PasskeyStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly rp: RelyingParty;
}

const missing = (): AppError => new AppError('not_found', 'There is no such passkey. It may have been removed.');

async function rename(
  { store, audit }: PasskeysOptions,
  accountId: AccountId,
  passkeyId: string,
  input: string,
  context: AuditContext,
): Promise<Passkey> {
  const name = readName(input);
  return store.transaction(async () => {
    const passkey = await store.rename(accountId, passkeyId, name);
    if (!passkey) throw missing();
    await audit.record({
      actor: { kind: 'account', id: accountId },
      ...context,
      type: 'passkey.renamed',
      outcome: 'success',
      subject: accountId,
      details: { passkey: passkeyId, name },
    });
    return viewOf(passkey);
  });
}

async function remove(
  { store, audit }: PasskeysOptions,
  accountId: AccountId,
  passkeyId: string | undefined,
  context: AuditContext,
): Promise<StoredPasskey[]> {
  return store.transaction(async () => {
    const removed = await store.remove(accountId, passkeyId);
    const left = await store.count(accountId);
    for (const { id, name } of removed) {
      await audit.record({
        actor: { kind: 'account', id: accountId },
        ...context,
        type: 'passkey.removed',
        outcome: 'success',
        subject: accountId,
        details: { passkey: id, name, left },
      });
    }
    return removed;
  });
}

/** Makes the passkeys domain. */
export const createPasskeys = (options: PasskeysOptions): Passkeys => ({
  usable: hasUsableId(options.rp),
  beginRegistration: (owner, binding, { automatic } = {}) => beginRegistration(options, owner, binding, automatic),
  finishRegistration: ({ id }, binding, response, name, context = {}) =>
    addPasskey(options, id, binding, response, { name, context }),
  beginAuthentication: (binding, accountId) => beginAuthentication(options, binding, accountId),
  finishAuthentication: (binding, response, context = {}) => usePasskey(options, binding, response, context),
  list: async (accountId) => (await options.store.list(accountId)).map(viewOf),
  countOf: (accountId) => options.store.count(accountId),
  rename: (accountId, id, name, context = {}) => rename(options, accountId, id, name, context),

  async remove(accountId, id, context = {}) {
    if ((await remove(options, accountId, id, context)).length === 0) throw missing();
  },

  removeAll: async (accountId, context = {}) => (await remove(options, accountId, undefined, context)).length,
  unknownSignal: (response) => unknownSignal(options, response),
  accountSignals: (owner) => accountSignals(options, owner),
  purge: () => options.store.ceremonies.purge(options.clock.now()),
});
