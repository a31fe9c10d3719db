import type { Actor, AuditLog, AuditType } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Account } from './account.ts';
import type { AccountLifeStore } from './account-life-store.ts';
import { allowedStarts, type Move } from './account-status.ts';
import { type EmailAddress, parseEmail } from './email-address.ts';

/** How accounts come into use, pause and end. Every change is audited in the same transaction. */
export interface AccountLife {
  /**
   * The mailbox is theirs: the address is verified and an unverified account becomes active. `recover` does the same for
   * a locked one. Undefined when the account has another address by now or a status that this does not end.
   */
  prove(
    id: AccountId,
    email: string,
    move: 'verify' | 'recover',
    by: Actor,
    meta?: EventMeta,
  ): Promise<{ readonly account: Account; readonly changed: boolean } | undefined>;
  /** Gives an active account the address `to`, verified, if it still has `from`. */
  changeEmail(
    id: AccountId,
    change: { readonly from: string; readonly to: EmailAddress },
    by: Actor,
    meta?: EventMeta,
  ): Promise<Account | 'taken' | undefined>;
  /** Stops an account until its person recovers it. Twice changes nothing. @throws AppError `not_found`, `forbidden`, `conflict`. */
  lock(id: AccountId, by: Actor, meta?: EventMeta): Promise<Account>;
  /** Deletes softly. Twice changes nothing. @throws AppError `not_found`, `forbidden`, `conflict`. */
  delete(id: AccountId, by: Actor, meta?: EventMeta): Promise<Account>;
  /** Brings a deleted account back as it was. @throws AppError `not_found` after the purge, `forbidden`, `conflict`. */
  restore(id: AccountId, by: Actor, meta?: EventMeta): Promise<Account>;
  /**
   * Removes an account whose address was never confirmed, at once and for good; false when it is not `unverified`, or has
   * another address by now. By its person, who has the mailbox, or by the server when it waited too long.
   */
  discard(id: AccountId, email: string, by: Actor, meta?: EventMeta): Promise<boolean>;
  /** Removes up to `limit` accounts that were deleted before then (milliseconds), within the caller's transaction. */
  purge(before: number, limit: number): Promise<AccountId[]>;
}

/** From where it was done, for the audit log. */
export interface EventMeta {
  /** The app through which it was done. */
  readonly clientId?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
}

/** Runs what changes an account, and lets nobody have it from memory until that is over. */
export type Changing = <T>(id: AccountId, change: () => Promise<T>) => Promise<T>;

interface Needs {
  readonly store: AccountLifeStore;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
  /** Ends every session and token of an account; part of the transaction. */
  readonly endAccess: (id: AccountId, by: Actor, reason: string) => Promise<void>;
  /** Every change of an account runs in this, so that nobody remembers the old state. */
  readonly changing?: Changing;
}

class Life implements AccountLife {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async prove(id: AccountId, email: string, move: 'verify' | 'recover', by: Actor, meta: EventMeta = {}) {
    const { store, clock } = this.#needs;
    const from = allowedStarts(move, by, id);
    const key = parseEmail(email)?.key;
    return this.#change(id, async () => {
      if (key === undefined) return undefined;
      const account = await store.verify(id, key, from, clock.now());
      if (account) {
        await this.#record('email.verified', id, by, meta);
        return { account, changed: true };
      }
      const current = await store.find(id);
      const same = current && current.status === 'active' && parseEmail(current.email)?.key === key;
      return same ? { account: current, changed: false } : undefined;
    });
  }

  changeEmail(
    id: AccountId,
    { from, to }: { readonly from: string; readonly to: EmailAddress },
    by: Actor,
    meta: EventMeta = {},
  ) {
    const { store, clock } = this.#needs;
    return this.#change(id, async () => {
      const result = await store.setEmail(id, parseEmail(from)?.key ?? from, to, clock.now());
      if (typeof result === 'object') await this.#record('email.changed', id, by, meta);
      return result;
    });
  }

  lock(id: AccountId, by: Actor, meta: EventMeta = {}): Promise<Account> {
    const { store, clock, endAccess } = this.#needs;
    return this.#move('lock', id, by, async (from) => {
      const account = await store.lock(id, from, clock.now());
      if (account) {
        await this.#record('account.locked', id, by, meta);
        await endAccess(id, by, 'the account was locked');
      }
      return account;
    });
  }

  delete(id: AccountId, by: Actor, meta: EventMeta = {}): Promise<Account> {
    const { store, clock, endAccess } = this.#needs;
    return this.#move('delete', id, by, async (from) => {
      const account = await store.markDeleted(id, from, clock.now());
      if (account) {
        await this.#record('account.deleted', id, by, meta);
        await endAccess(id, by, 'the account was deleted');
      }
      return account;
    });
  }

  restore(id: AccountId, by: Actor, meta: EventMeta = {}): Promise<Account> {
    const { store, clock } = this.#needs;
    return this.#move('restore', id, by, async () => {
      const account = await store.restore(id, clock.now());
      if (account) await this.#record('account.restored', id, by, meta);
      return account;
    });
  }

  discard(id: AccountId, email: string, by: Actor, meta: EventMeta = {}): Promise<boolean> {
    const { store, audit } = this.#needs;
    const key = parseEmail(email)?.key ?? email;
    return this.#change(id, async () => {
      if (!(await store.removeUnverified(id, key))) return false;
      const details = { reason: 'never_confirmed' };
      await audit.record({ ...meta, type: 'account.purged', actor: by, outcome: 'success', subject: id, details });
      return true;
    });
  }

  purge(before: number, limit: number): Promise<AccountId[]> {
    const { store, audit } = this.#needs;
    return store.transaction(async () => {
      const ids = await store.removeDeleted(before, limit);
      for (const id of ids) {
        await this.#changing(id, () =>
          audit.record({ type: 'account.purged', actor: { kind: 'system' }, outcome: 'success', subject: id }),
        );
      }
      return ids;
    });
  }

  /** A move that says why when it cannot be made, unless it was made already. */
  async #move(
    move: Extract<Move, 'lock' | 'delete' | 'restore'>,
    id: AccountId,
    by: Actor,
    work: (from: readonly Account['status'][]) => Promise<Account | undefined>,
  ): Promise<Account> {
    const from = allowedStarts(move, by, id);
    const done = { lock: ['locked'], delete: ['deleted'], restore: ['active', 'unverified', 'suspended', 'locked'] };
    return this.#change(id, async () => {
      const account = await work(from);
      if (account) return account;
      const current = await this.#needs.store.find(id);
      if (!current) throw new AppError('not_found', 'There is no such account.');
      if (done[move].includes(current.status)) return current;
      throw new AppError('conflict', `The account is ${current.status}, and that does not allow this.`);
    });
  }

  #change<T>(id: AccountId, work: () => Promise<T>): Promise<T> {
    return this.#changing(id, () => this.#needs.store.transaction(work));
  }

  #changing<T>(id: AccountId, work: () => Promise<T>): Promise<T> {
    const { changing } = this.#needs;
    return changing ? changing(id, work) : work();
  }

  #record(type: AuditType, id: AccountId, by: Actor, meta: EventMeta): Promise<void> {
    return this.#needs.audit.record({ ...meta, type, actor: by, outcome: 'success', subject: id });
  }
}

/** Makes the part of the accounts domain that begins and ends accounts. */
export const createAccountLife = (needs: Needs): AccountLife => new Life(needs);
