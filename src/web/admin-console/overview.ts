import type { Accounts } from '../../accounts/index.ts';
import type { Apis } from '../../apis/index.ts';
import { type AuditLog, type AuditStatistics, countedAtMost } from '../../audit/index.ts';
import type { Client, ClientKind, Clients } from '../../clients/index.ts';
import type { KeyState, Keys, KeyView } from '../../keys/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { SignIn } from '../../sign-in/index.ts';
import type { AdminOverviewPage } from '../console-models.ts';
import { recordAddress } from './audit-query.ts';
import { describeEvents } from './audit-rows.ts';
import { drawSignIns, type SignInDay } from './sign-in-chart.ts';

/** What the overview is read from. */
export interface OverviewSources {
  readonly accounts: Pick<Accounts, 'count' | 'find'>;
  readonly apis: Pick<Apis, 'list'>;
  readonly clients: Pick<Clients, 'count' | 'find' | 'list'>;
  readonly keys: Pick<Keys, 'list'>;
  readonly audit: Pick<AuditLog, 'list'>;
  readonly statistics: AuditStatistics;
  readonly signIn: Pick<SignIn, 'countPaused'>;
  readonly clock: Clock;
}

const day = 86_400_000;
const days = 7;
const minute = 60_000;
const shown = { events: 12, clients: 10 };
/** Beyond this a number is "so many or more": the page must not read whole tables. */
const mostRows = 100_000;

const successes = ['sign_in.succeeded'] as const;
const failures = ['sign_in.failed', 'second_factor.failed'] as const;

const format = new Intl.NumberFormat('en-GB');
const amount = (count: number, atMost = mostRows): string => `${format.format(count)}${count >= atMost ? '+' : ''}`;
const percent = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 1 });

const kindTexts: Readonly<Record<ClientKind, string>> = {
  web: 'Web app',
  spa: 'Browser app',
  native: 'Native app',
  machine: 'Machine',
  service: 'Service',
};

type KeyRow = AdminOverviewPage['keys'][number];

const stateTexts: Readonly<Record<KeyState, KeyRow['state']>> = {
  pending: { label: 'Waiting', tone: 'plain' },
  published: { label: 'Published', tone: 'plain' },
  signing: { label: 'Signing', tone: 'ok' },
  retiring: { label: 'Verifies only', tone: 'warn' },
  removed: { label: 'Removed', tone: 'plain' },
};
const stepTexts: Readonly<Record<KeyState, string>> = {
  pending: 'Waits',
  published: 'Published',
  signing: 'Signs from',
  retiring: 'Replaced',
  removed: 'Leaves the JWKS',
};

const keyRow = ({ kid, alg, state, since, nextStep }: KeyView): KeyRow => ({
  kid,
  alg,
  state: stateTexts[state],
  since: new Date(since[state] ?? since.pending ?? 0),
  ...(nextStep && { next: { label: stepTexts[nextStep.state], at: new Date(nextStep.at) } }),
});

const clientRow = (client: Client): AdminOverviewPage['clients'][number] => ({
  id: client.id,
  name: client.name,
  kind: kindTexts[client.kind],
  traits: [
    ...(client.firstParty ? ['First party'] : []),
    ...(client.requireSecondFactor ? ['Second factor'] : []),
    ...(client.mayIntrospect ? ['Introspects all'] : []),
  ],
  disabled: client.disabled,
  createdAt: new Date(client.createdAt),
});

const order: readonly KeyState[] = ['signing', 'published', 'pending', 'retiring', 'removed'];
const byState = (one: KeyView, other: KeyView): number =>
  order.indexOf(one.state) - order.indexOf(other.state) || one.alg.localeCompare(other.alg);

async function countDays({ statistics }: OverviewSources, since: number, buckets: number): Promise<SignInDay[]> {
  const question = { since, bucketMilliseconds: day, buckets };
  const [succeeded, failed] = await Promise.all([
    statistics.count({ ...question, types: successes }),
    statistics.count({ ...question, types: failures }),
  ]);
  return succeeded.map((count, index) => ({
    start: since + index * day,
    succeeded: count,
    failed: failed[index] ?? 0,
  }));
}

/** Counts the days that are over once; only today still changes. */
function createChartReader(sources: OverviewSources): () => Promise<AdminOverviewPage['chart']> {
  let over: readonly SignInDay[] = [];
  return async () => {
    const now = sources.clock.now();
    const today = Math.floor(now / day) * day;
    const since = today - (days - 1) * day;
    const known = over[0]?.start === since ? over : await countDays(sources, since, days - 1);
    // Another node's clock may be behind, so the day before is settled a minute after its end.
    if (now - today > minute) over = known;
    return drawSignIns([...known, ...(await countDays(sources, today, 1))]);
  };
}

async function readTiles(sources: OverviewSources): Promise<AdminOverviewPage['tiles']> {
  const { accounts, apis, clients, statistics, signIn, clock } = sources;
  // One millisecond on, so that what happens in this very one counts.
  const question = { since: clock.now() - day + 1, bucketMilliseconds: day, buckets: 1 };
  const [people, apps, apiList, [signIns = 0], [failed = 0], paused] = await Promise.all([
    accounts.count(mostRows),
    clients.count(mostRows),
    apis.list(),
    statistics.count({ ...question, types: successes }),
    statistics.count({ ...question, types: failures }),
    signIn.countPaused(mostRows),
  ]);
  const share = signIns + failed === 0 ? 'in 24 hours' : `${percent.format(failed / (signIns + failed))} of all tries`;
  return [
    { label: 'People', value: amount(people), hint: 'with an account' },
    { label: 'Apps', value: amount(apps), hint: 'registered' },
    { label: 'APIs', value: amount(apiList.length), hint: 'registered' },
    { label: 'Sign-ins', value: amount(signIns, countedAtMost), hint: 'in 24 hours' },
    { label: 'Failed tries', value: amount(failed, countedAtMost), hint: share },
    { label: 'Paused now', value: amount(paused), hint: 'after wrong tries' },
  ];
}

/** Reads everything that the overview shows. Each part is bounded, however large the installation is. */
export function createOverviewReader(
  sources: OverviewSources,
): () => Promise<Omit<AdminOverviewPage, 'shell' | 'links'>> {
  const { accounts, clients, keys, audit } = sources;
  const readChart = createChartReader(sources);
  return async () => {
    const [tiles, chart, rows, keyList, clientList] = await Promise.all([
      readTiles(sources),
      readChart(),
      audit.list({ limit: shown.events }),
      keys.list(),
      clients.list({ limit: shown.clients + 1 }),
    ]);
    const described = await describeEvents(rows, { accounts, clients });
    return {
      lead: 'Who signs in, with what, and which keys stand behind it. Sessions can be ended here; the command line changes everything else.',
      tiles,
      chart,
      events: described.map((event, index) => ({ ...event, href: recordAddress(rows[index]?.id ?? '') })),
      keys: keyList.sort(byState).map(keyRow),
      clients: clientList.slice(0, shown.clients).map(clientRow),
      ...(clientList.length > shown.clients && { moreClients: `The ${shown.clients} newest are shown.` }),
    };
  };
}
