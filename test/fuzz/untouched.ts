import type { AccountId } from '../../src/shared/ids.ts';
import type { RunningApp } from '../support/start-app.ts';

/** What no request of a stranger or of somebody else changes. People of the tests have addresses of their own. */
const rows = {
  clients: 'select t from client t',
  'secrets of clients': 'select t from client_secret t',
  APIs: 'select t from api t',
  'API keys': 'select t from api_key t',
  'exchange rights': 'select t from token_exchange t',
  'signing keys': 'select t from signing_key t',
  webhooks: 'select t from webhook_endpoint t',
  'other accounts': `select t from account t where email not like '%@people.example'`,
  account: 'select t from account t where id = :id',
  password: 'select t from password t where account_id = :id',
  authenticator: 'select t from totp t where account_id = :id',
  passkeys: 'select t from passkey t where account_id = :id',
  sessions: 'select t from session t where account_id = :id',
} as const;

/** How many rows there are of each and what is in them, `id` being somebody who does nothing meanwhile. */
export async function untouched({ app }: RunningApp, id: AccountId): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, select] of Object.entries(rows)) {
    const text = `select count(*) || ' ' || md5(coalesce(string_agg(r.t::text, ' ' order by r.t::text), '')) as state
      from (${select}) as r`;
    const { rows: answer } = await app.database.sql.raw<{ rows: { state: string }[] }>(text, { id });
    found[name] = answer[0]?.state ?? '';
  }
  return found;
}
