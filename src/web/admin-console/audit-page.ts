import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Account, Accounts } from '../../accounts/index.ts';
import {
  type AuditChain,
  type AuditReader,
  type AuditRow,
  type AuditType,
  auditGroups,
  type ChainStatus,
} from '../../audit/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { ConsoleGuard } from '../console/console-guard.ts';
import type { ConsoleShell } from '../console-models.ts';
import type { PageWriter } from '../page-writer.ts';
import type { AdminAuditPage } from './audit-page-model.ts';
import { type AuditQuery, auditAddress, auditPath, filterOfQuery, readAuditQuery } from './audit-query.ts';
import { describeEvents, namesFor, shorten } from './audit-rows.ts';
import { actorTexts, auditTexts, eventText } from './audit-texts.ts';

/** What the audit page is made of. */
export interface AuditPageNeeds {
  readonly guard: ConsoleGuard;
  readonly pages: PageWriter;
  readonly accounts: Pick<Accounts, 'find' | 'findByLogin'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly auditReader: AuditReader;
  readonly auditChain: Pick<AuditChain, 'status'>;
  readonly clock: Clock;
}

const pageSize = 50;
/** Milliseconds that an event may wait for its place before the page says that something is wrong. */
const late = 120_000;
const number = new Intl.NumberFormat('en-GB');

const groupTexts: Readonly<Record<string, string>> = {
  account: 'Accounts',
  api: 'APIs',
  api_key: 'API keys',
  audit: 'Audit log',
  client: 'Apps',
  key: 'Signing keys',
  sign_in: 'Sign-in',
};
const groupText = (group: string): string =>
  groupTexts[group] ?? `${group.charAt(0).toUpperCase()}${group.slice(1).replaceAll('_', ' ')}`;

function formOf(query: AuditQuery): AdminAuditPage['form'] {
  const { q, type, outcome, actor, subject, from, to } = query;
  const types = (Object.keys(auditTexts) as AuditType[]).sort();
  const choice = (value: string, label: string, now: string) => ({ value, label, chosen: value === now });
  const more = [actor, subject, from, to].some((value) => value !== '');
  return {
    q,
    types: auditGroups(types).map((group) => ({
      label: groupText(group),
      choices: [
        choice(group, `${groupText(group)}: all`, type),
        ...types.filter((one) => one.startsWith(`${group}.`)).map((one) => choice(one, auditTexts[one], type)),
      ],
    })),
    anyType: type === '',
    outcomes: [choice('', 'All', outcome), choice('success', 'Done', outcome), choice('failure', 'Failed', outcome)],
    actor,
    subject,
    from,
    to,
    more,
    used: more || [q, type, outcome].some((value) => value !== ''),
  };
}

function chainText({ head, waiting, waitingSince }: ChainStatus, now: number): AdminAuditPage['chain'] {
  const sealed = head.number === 0 ? 'No event is sealed yet.' : `Sealed up to number ${number.format(head.number)}.`;
  if (waitingSince !== undefined && now - waitingSince > late) {
    return {
      late: true,
      text: `${sealed} ${number.format(waiting)} events wait for longer than two minutes. The log of the server says why.`,
    };
  }
  return {
    late: false,
    text: `${sealed} \`sallyport audit verify\` checks that nothing was changed, removed or added.`,
  };
}

type Facts = NonNullable<AdminAuditPage['record']>['facts'];

/** All of a record: names as the list has them, and the ids and times to look for them elsewhere. */
async function factsOf(row: AuditRow, nameFor: (id: string) => Promise<string>): Promise<Facts> {
  const { actor } = row;
  const named = async (name: string, id: string | undefined): Promise<Facts> => {
    if (id === undefined) return [];
    const value = await nameFor(id);
    return [value === shorten(id) ? { name, value: id } : { name, value, exact: id }];
  };
  const plain = (name: string, value: string | undefined): Facts => (value === undefined ? [] : [{ name, value }]);
  const at = new Date(row.at);
  return [
    ...plain('Event', row.id),
    ...plain('Type', row.type),
    { name: 'When', value: '', at, exact: at.toISOString() },
    ...plain('Result', row.outcome === 'failure' ? 'Failed' : 'Done'),
    ...('id' in actor ? await named('Who', actor.id) : plain('Who', actorTexts[actor.kind])),
    ...(await named('On', row.subject)),
    ...(await named('App', row.clientId)),
    ...plain('Session', row.sessionId),
    ...plain('Address', row.ip),
    ...plain('Browser', row.userAgent),
    ...plain('Request', row.requestId),
    ...plain('Details', row.details && JSON.stringify(row.details)),
  ];
}

/** Reads everything that the page shows. */
async function readPage(needs: AuditPageNeeds, query: AuditQuery): Promise<Omit<AdminAuditPage, 'shell'>> {
  const { auditReader, auditChain, accounts, clock } = needs;
  const filter = await filterOfQuery(query, async (login) => (await accounts.findByLogin(login))?.id);
  const [page, status, record] = await Promise.all([
    auditReader.search(filter, { after: query.after, limit: pageSize }),
    auditChain.status(),
    query.record === undefined ? undefined : auditReader.find(query.record),
  ]);
  const here = query.after === undefined ? {} : { after: query.after };
  const described = await describeEvents(page.rows, needs);
  const address = auditAddress(query);
  return {
    lead: 'Who did what, when and from where. Nothing here can be changed.',
    chain: chainText(status, clock.now()),
    form: formOf(query),
    problem: query.problem,
    record: record && { text: eventText(record), facts: await factsOf(record, namesFor(needs)) },
    events: described.map((event, index) => ({
      ...event,
      href: `${auditPath}?${auditAddress(query, { ...here, record: page.rows[index]?.id ?? '' })}#record`,
    })),
    paged: query.after !== undefined,
    newest: `${auditPath}${address === '' ? '' : `?${address}`}`,
    older: page.next && `${auditPath}?${auditAddress(query, { after: page.next })}`,
    exports: (['csv', 'jsonl'] as const).map((format) => ({
      href: `${auditPath}/export?format=${format}${address === '' ? '' : `&${address}`}`,
      label: format === 'csv' ? 'Export as CSV' : 'Export as JSON lines',
    })),
  };
}

/** Puts the audit page on the router of the admin console. */
export function addAuditPage(router: Router, needs: AuditPageNeeds, shell: (account: Account) => ConsoleShell): void {
  const { guard, pages } = needs;
  router.get(
    'admin-audit',
    auditPath,
    guard({ home: auditPath, role: 'admin' }, async (ctx: Context, { account }) => {
      const model = await readPage(needs, readAuditQuery(ctx.query));
      await pages.show(ctx, 'admin-audit', { ...model, shell: shell(account) });
    }),
  );
}
