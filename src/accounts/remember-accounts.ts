import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Account } from './account.ts';
import type { Accounts } from './accounts.ts';

const capacity = 10_000;

/**
 * Lets `find` answer from memory for `milliseconds`, because every token request and introspection asks whether the
 * account may still use tokens. What changes here is seen at once; what another node changes, within that time.
 */
export function rememberAccounts(accounts: Accounts, clock: Clock, milliseconds: number): Accounts {
  const known = new Map<AccountId, { readonly account: Account | undefined; readonly until: number }>();
  // A look-up that began before a change must not bring the old state back.
  let changes = 0;

  const forget = async <T>(id: AccountId, change: () => Promise<T>): Promise<T> => {
    try {
      return await change();
    } finally {
      changes += 1;
      known.delete(id);
    }
  };

  return {
    ...accounts,
    async find(id) {
      const now = clock.now();
      const hit = known.get(id);
      if (hit && hit.until > now) return hit.account;
      const before = changes;
      const account = await accounts.find(id);
      if (before === changes) {
        if (known.size >= capacity) known.clear();
        known.set(id, { account, until: now + milliseconds });
      }
      return account;
    },
    update: (id, ...rest) => forget(id, () => accounts.update(id, ...rest)),
    disable: (id, ...rest) => forget(id, () => accounts.disable(id, ...rest)),
    enable: (id, ...rest) => forget(id, () => accounts.enable(id, ...rest)),
  };
}
