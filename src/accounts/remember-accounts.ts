import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { whenOver } from '../storage/unit-of-work.ts';
import type { Account } from './account.ts';
import type { Changing } from './account-life.ts';
import type { Accounts } from './accounts.ts';

/** Accounts from memory. */
export interface RememberedAccounts extends Accounts {
  /** Changes one of them by another way. */
  readonly changing: Changing;
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
  // Until a change is committed others read the account as it was, and whoever changes it as it may not be kept. The end
  // of it can be seen in the database before it is heard of here.
  const unsettled = new Map<AccountId, number>();

  const forget = (id: AccountId): void => {
    changes += 1;
    known.delete(id);
  };
  const settle = (id: AccountId): void => {
    const left = (unsettled.get(id) ?? 1) - 1;
    if (left > 0) unsettled.set(id, left);
    else unsettled.delete(id);
    forget(id);
  };
  const changing: Changing = async (id, change) => {
    unsettled.set(id, (unsettled.get(id) ?? 0) + 1);
    forget(id);
    try {
      return await change();
    } finally {
      whenOver(() => settle(id));
    }
  };

  const keep = (id: AccountId, account: Account | undefined, readAt: number): void => {
    if (unsettled.has(id)) return;
    if (known.size >= capacity) known.clear();
    known.set(id, { account, until: readAt + milliseconds });
  };

  return {
    ...accounts,
    changing,
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
