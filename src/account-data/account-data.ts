import type { Account, AccountLife } from '../accounts/index.ts';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Codes, Links } from '../one-time-secrets/index.ts';
import { occasionOf, type RequestMeta } from '../registration/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { type AccountExport, type ExportSources, exportAccount } from './export-account.ts';
import type { PersonalTraces } from './personal-traces.ts';

/** What people may have of what is stored about them, and how it goes. */
export interface AccountData {
  /** @throws AppError `not_found`. */
  export(accountId: AccountId, by?: Actor, meta?: RequestMeta): Promise<AccountExport>;
  /**
   * Deletes softly: nobody signs in any more, sessions, tokens, links and codes end, and the person is told. Everything
   * else stays until the purge, also the names: freed at once they could be registered by somebody else, who would get
   * mails and apps' data that are meant for this person, and a restored account would have none. Twice changes nothing.
   * @throws AppError `not_found`, `forbidden`, `conflict`.
   */
  delete(accountId: AccountId, by: Actor, meta?: RequestMeta): Promise<Account>;
  /** Brings a deleted account back as it was, signed in nowhere. By operators only. @throws AppError as `delete`. */
  restore(accountId: AccountId, by: Actor, meta?: RequestMeta): Promise<Account>;
  /** When a deleted account is purged, milliseconds; undefined for one that is not deleted. */
  purgesAt(account: Account): number | undefined;
  /** Removes what was deleted long enough ago, in batches, and says how many accounts went. */
  purge(): Promise<number>;
}

interface Needs {
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly life: Pick<AccountLife, 'delete' | 'restore' | 'purge'>;
  readonly links: Pick<Links, 'revokeAll'>;
  readonly codes: Pick<Codes, 'revokeAll'>;
  readonly notifications: Pick<Notifications, 'send' | 'forget'>;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly sources: ExportSources;
  /** Beside what goes with the account's row by itself. */
  readonly traces: readonly PersonalTraces[];
  readonly policy: { readonly deletionDays: number };
  /** Runs writes that belong together, joining the transaction that is already open. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Accounts in one transaction of the purge. */
const batch = 20;

async function deleteAccount(
  needs: Needs,
  purgesAt: AccountData['purgesAt'],
  id: AccountId,
  by: Actor,
  meta: RequestMeta,
) {
  const { life, links, codes, notifications, clock, accounts, transaction } = needs;
  return transaction(async () => {
    const wasDeleted = (await accounts.find(id))?.status === 'deleted';
    const account = await life.delete(id, by, meta);
    if (wasDeleted) return account;
    await links.revokeAll(id);
    await codes.revokeAll(id);
    const data = { ...occasionOf(clock, meta, account), deletesAt: purgesAt(account) ?? clock.now() };
    const dedupeKey = `deleted ${id} ${account.deletedAt}`;
    await notifications.send({ to: account.email, template: 'deletion-scheduled', account: id, data, dedupeKey });
    return account;
  });
}

/** One batch: the rows first, which takes them from whoever would restore them meanwhile, then what they left elsewhere. */
async function purgeSome({ life, links, codes, notifications, traces, transaction }: Needs, before: number) {
  return transaction(async () => {
    const ids = await life.purge(before, batch);
    for (const id of ids) {
      await links.revokeAll(id);
      await codes.revokeAll(id);
      await notifications.forget(id);
    }
    if (ids.length > 0) for (const trace of traces) await trace.erase(ids);
    return ids.length;
  });
}

/** Makes the account-data domain. */
export function createAccountData(needs: Needs): AccountData {
  const { life, clock, policy } = needs;
  const delay = policy.deletionDays * 86_400_000;
  const purgesAt: AccountData['purgesAt'] = ({ deletedAt }) =>
    deletedAt === undefined ? undefined : deletedAt + delay;
  return {
    purgesAt,
    export: (id, by = { kind: 'account', id }, meta = {}) => exportAccount(needs, id, by, meta),
    delete: (id, by, meta = {}) => deleteAccount(needs, purgesAt, id, by, meta),
    restore: (id, by, meta = {}) => life.restore(id, by, meta),
    async purge() {
      let total = 0;
      for (let removed = batch; removed === batch; total += removed) {
        removed = await purgeSome(needs, clock.now() - delay);
      }
      return total;
    },
  };
}
