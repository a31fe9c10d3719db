import { asAccountId } from '../shared/ids.ts';
import { type Database, isUniqueViolation } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { Account, AccountStatus, Address, Profile } from './account.ts';
import type { AccountStore, StoredAccount } from './account-store.ts';

/** A row of table `account`. */
export interface Row {
  id: string;
  username: string | null;
  email: string;
  email_verified: boolean;
  status: AccountStatus;
  roles: string[];
  profile: Profile;
  address: Address | null;
  phone_number: string | null;
  phone_number_verified: boolean;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
  version: number;
}

/** What a row says. */
export const fromRow = (row: Row): Account => ({
  id: asAccountId(row.id),
  email: row.email,
  emailVerified: row.email_verified,
  status: row.status,
  roles: row.roles,
  profile: row.profile,
  phoneNumberVerified: row.phone_number_verified,
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
  version: row.version,
  ...(row.username !== null && { username: row.username }),
  ...(row.address && { address: row.address }),
  ...(row.phone_number !== null && { phoneNumber: row.phone_number }),
  ...(row.deleted_at && { deletedAt: row.deleted_at.getTime() }),
});

const toRow = (account: StoredAccount) => ({
  id: account.id,
  username: account.username ?? null,
  username_key: account.usernameKey ?? null,
  email: account.email,
  email_key: account.emailKey,
  email_verified: account.emailVerified,
  status: account.status,
  roles: JSON.stringify(account.roles),
  profile: JSON.stringify(account.profile),
  address: account.address ? JSON.stringify(account.address) : null,
  phone_number: account.phoneNumber ?? null,
  phone_number_verified: account.phoneNumberVerified,
  created_at: new Date(account.createdAt),
  updated_at: new Date(account.updatedAt),
  version: account.version,
});

// A pause verifies nothing.
const beforeSuspended = "case suspended_from when 'unverified' then 'unverified' else 'active' end";

const findById = statement('select * from account where id = $1');
const findByEmail = statement('select * from account where email_key = $1');
const findByUsername = statement('select * from account where username_key = $1');

const startsWith = (text: string): string => `${text.replaceAll(/[\\%_]/g, '\\$&')}%`;

/** Accounts in table `account`. */
export const createSqlAccountStore = (database: Database): AccountStore => ({
  transaction: (work) => database.transaction(work),

  async find(id) {
    const [row] = await database.query<Row>(findById, [id]);
    return row && fromRow(row);
  },

  async findByKey(field, key) {
    const [row] = await database.query<Row>(field === 'email' ? findByEmail : findByUsername, [key]);
    return row && fromRow(row);
  },

  async list({ limit, after, search }) {
    const query = database.sql<Row>('account').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
    if (after !== undefined) {
      query.whereRaw('(created_at, id) < (select created_at, id from account where id = ?)', [after]);
    }
    if (search !== undefined) {
      const key = startsWith(search.normalize('NFKC').toLowerCase());
      query.whereRaw("(id = ? or email_key like ? or username_key like ? or lower(profile ->> 'name') like lower(?))", [
        search,
        key,
        key,
        startsWith(search),
      ]);
    }
    return (await query).map(fromRow);
  },

  async count(atMost) {
    const some = database.sql('account').whereNot({ status: 'deleted' }).select('id').limit(atMost).as('some');
    const row = await database.sql(some).count({ found: '*' }).first();
    return Number(row?.found ?? 0);
  },

  async insert(account) {
    // Not a violation but no row: an outer transaction stays usable.
    const rows = await database.sql('account').insert(toRow(account)).onConflict().ignore().returning('id');
    if (rows.length > 0) return undefined;
    const sameEmail = await database.sql('account').where({ email_key: account.emailKey }).first('id');
    return sameEmail ? 'email' : 'username';
  },

  async replace(account) {
    const { id, created_at: _created, ...columns } = toRow(account);
    try {
      const changed = await database
        .sql('account')
        .where({ id, version: account.version - 1 })
        .update(columns);
      return changed === 1 ? undefined : 'stale';
    } catch (error) {
      if (isUniqueViolation(error, 'account_email_key')) return 'email';
      if (isUniqueViolation(error, 'account_username_key')) return 'username';
      throw error;
    }
  },

  async setStatus(id, from, to, updatedAt) {
    const [row] = (await database
      .sql('account')
      .where({ id })
      .whereIn('status', from)
      .update({
        status: to === 'before' ? database.sql.raw(beforeSuspended) : to,
        suspended_from: to === 'suspended' ? database.sql.raw('status') : null,
        updated_at: new Date(updatedAt),
        version: database.sql.raw('version + 1'),
      })
      .returning('*')) as Row[];
    return row && fromRow(row);
  },
});
