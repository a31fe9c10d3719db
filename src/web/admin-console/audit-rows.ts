import type { Accounts } from '../../accounts/index.ts';
import type { AuditRow } from '../../audit/index.ts';
import type { Clients } from '../../clients/index.ts';
import { asAccountId } from '../../shared/ids.ts';
import { nameOf } from '../console/console-shell.ts';
import type { AdminOverviewPage } from '../console-models.ts';
import { actorTexts, eventText } from './audit-texts.ts';

interface Names {
  readonly accounts: Pick<Accounts, 'find'>;
  readonly clients: Pick<Clients, 'find'>;
}

/** An id without a name, as the list shows it. */
export const shorten = (id: string): string => (id.length > 20 ? `${id.slice(0, 16)}…` : id);

/** Looks each id up once, however many rows it is in. */
export function namesFor({ accounts, clients }: Names): (id: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  const look = async (id: string): Promise<string> => {
    if (id.startsWith('acc_')) {
      const account = await accounts.find(asAccountId(id));
      return account ? nameOf(account) : shorten(id);
    }
    return (await clients.find(id))?.name ?? shorten(id);
  };
  return (id) => {
    const name = known.get(id) ?? look(id);
    known.set(id, name);
    return name;
  };
}

type Described = Omit<AdminOverviewPage['events'][number], 'href'>;

/** Audit rows as a person reads them: words for the event, names for ids. */
export function describeEvents(rows: readonly AuditRow[], names: Names): Promise<Described[]> {
  const nameFor = namesFor(names);
  const describe = async (row: AuditRow): Promise<Described> => {
    const { actor } = row;
    const by = 'id' in actor ? await nameFor(actor.id) : actorTexts[actor.kind];
    const about = row.subject ?? row.clientId;
    return {
      text: eventText(row),
      failed: row.outcome === 'failure',
      about: about === undefined ? 'none' : await nameFor(about),
      by,
      from: row.ip ?? 'this server',
      at: new Date(row.at),
    };
  };
  return Promise.all(rows.map(describe));
}
