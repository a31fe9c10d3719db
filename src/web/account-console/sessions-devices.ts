import type { Clients } from '../../clients/index.ts';
import { type Devices, type DeviceType, deviceText } from '../../devices/index.ts';
import { consoleClientId } from '../../oidc/index.ts';
import type { Risk, RiskSignal } from '../../risk/index.ts';
import type { ListedSession, Sessions } from '../../sessions/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { AccountId } from '../../shared/ids.ts';
import type { IconName } from '../icons.ts';
import type { AccountSessionsPage } from './data-page-models.ts';

type SessionItem = AccountSessionsPage['sessions'][number];

/** What the list is read from. */
export interface DeviceSources {
  readonly sessions: Pick<Sessions, 'list'>;
  readonly devices: Pick<Devices, 'listRemembered' | 'rememberDays'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly risk: Pick<Risk, 'standingOf'>;
  readonly clock: Clock;
}

/** What sessions are described from. */
export type SessionSources = Omit<DeviceSources, 'devices'>;

const icons: Partial<Record<DeviceType, IconName>> = { mobile: 'phone', tablet: 'phone' };
const iconOf = (type: DeviceType): IconName => icons[type] ?? 'device';

/** Activity is written once a minute, so this is as exact as "now" can be. Milliseconds. */
const now = 120_000;

/** What a person should know of; a new browser or network alone is everyday life. */
const unusual: Partial<Record<RiskSignal, string>> = {
  'impossible-travel': 'from a place that is too far from the last one',
  'token-reuse': 'a key of an app was used twice',
  'many-accounts': 'from an address that tried many accounts',
  'listed-address': 'from an address that is known for attacks',
};

async function sessionItem(
  { clients, clock }: SessionSources,
  session: ListedSession,
  signals: readonly RiskSignal[],
): Promise<SessionItem> {
  const { id, kind, type, current, ip, lastIp, location, createdAt, lastActiveAt, acr, clientIds } = session;
  const used = clientIds.filter((clientId) => clientId !== consoleClientId);
  const apps = await Promise.all(used.map(async (clientId) => (await clients.find(clientId))?.name));
  return {
    id,
    name: deviceText(session) ?? (kind === 'api' ? 'An app without a browser' : 'Unknown browser'),
    icon: iconOf(type),
    current,
    ip: lastIp ?? ip,
    place: location,
    since: new Date(createdAt),
    lastActive: new Date(lastActiveAt),
    activeNow: clock.now() - lastActiveAt < now,
    secondFactor: acr === 'aal2',
    unusual: signals.flatMap((signal) => unusual[signal] ?? []),
    apps: [...new Set(apps.filter((name) => name !== undefined))],
  };
}

/** The sessions of a person; the one that looks comes first, then the ones used last. */
export async function readSessions(
  sources: SessionSources,
  accountId: AccountId,
  currentUid: string,
): Promise<(SessionItem & { readonly trust: number })[]> {
  const listed = await sources.sessions.list(accountId, currentUid);
  const standings = await sources.risk.standingOf(accountId, listed);
  const items = await Promise.all(
    listed.map(async (session, index) => {
      const { signals = [], trust = 0 } = standings[index] ?? {};
      return { ...(await sessionItem(sources, session, signals)), trust };
    }),
  );
  return items.sort(
    (one, other) =>
      Number(other.current) - Number(one.current) || other.lastActive.getTime() - one.lastActive.getTime(),
  );
}

/** The browsers that are not asked for the second factor. @param deviceHash of the browser that looks */
export async function readRemembered(
  { devices }: DeviceSources,
  accountId: AccountId,
  deviceHash: string | undefined,
): Promise<AccountSessionsPage['remembered']> {
  return (await devices.listRemembered(accountId)).map((device) => ({
    id: device.id,
    name: deviceText(device) ?? 'Unknown browser',
    icon: iconOf(device.type),
    current: device.deviceHash === deviceHash,
    ip: device.lastIp,
    until: new Date(device.expiresAt),
    lastUsed: new Date(device.lastUsedAt),
  }));
}
