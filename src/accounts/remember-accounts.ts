import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { whenOver } from '../storage/unit-of-work.ts';
import type { Account } from './account.ts';
import type { Accounts } from './accounts.ts';

/** Accounts from memory, and how to say that one of them changed by another way. */
export interface RememberedAccounts extends Accounts {
  forget(id: AccountId): void;
}

const capacity = 10_000;

/**
 * Lets `find` answer from memory for `milliseconds`, because every token request and introspection asks whether the
 * account may still use tokens. What changes here is seen at once; what another node changes, within that time.
 */
export function rememberAccounts(accounts: Accounts, clock: Clock, milliseconds: number): RememberedAccounts {
  const known = new Map<AccountId, { readonly account: Account | undefined; readonly until: number }>();
  // A look-up that began before a change must not bring the old state back.
  let changes = 0;

  const forget = (id: AccountId): void => {
    changes += 1;
    known.delete(id);
  };
  const changing = async <T>(id: AccountId, change: () => Promise<T>): Promise<T> => {
    try {
      return await change();
    } finally {
      forget(id);
      // Until it is committed others read the account as it was; and this request reads it as it may not be kept.
      whenOver(() => forget(id));
    }
  };

  const keep = (id: AccountId, account: Account | undefined, readAt: number): void => {
    if (known.size >= capacity) known.clear();
    known.set(id, { account, until: readAt + milliseconds });
  };

  return {
    ...accounts,
    forget,
    async find(id) {
      const now = clock.now();
      const hit = known.get(id);
      if (hit && hit.until > now) return hit.account;
      const before = changes;
      const account = await accounts.find(id);
      if (before === changes) keep(id, account, now);
      return account;
    },
    // Always read, so that a name is known from its first moment; what follows in the sign-in then has the account.
    async findByLogin(login) {
      const now = clock.now();
      const before = changes;
      const account = await accounts.findByLogin(login);
      if (account && before === changes) keep(account.id, account, now);
      return account;
    },
    update: (id, ...rest) => changing(id, () => accounts.update(id, ...rest)),
    disable: (id, ...rest) => changing(id, () => accounts.disable(id, ...rest)),
    enable: (id, ...rest) => changing(id, () => accounts.enable(id, ...rest)),
  };
}
