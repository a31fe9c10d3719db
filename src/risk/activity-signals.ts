import type { Location } from '../locations/index.ts';
import type { RiskSignal } from './risk-policy.ts';
import { isImpossibleTravel } from './travel.ts';

/** What is known of a session when its browser comes back. Times are milliseconds since the epoch. */
export interface ActivityFacts {
  readonly before: { readonly at: number; readonly ip: string | undefined; readonly location: Location | undefined };
  readonly now: { readonly at: number; readonly ip: string | undefined; readonly location: Location | undefined };
  /** The address of now is on the operator's list of bad ones. */
  readonly listed: boolean;
}

/** The network of an address: what a provider hands to one customer is a /64 (RFC 6177), and IPv4 has no such thing. */
const networkOf = (ip: string): string => {
  if (!ip.includes(':')) return ip;
  const [head = '', tail = ''] = ip.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const groups = ip.includes('::')
    ? [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
    : front;
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
};

/** The signals of a session that goes on somewhere else. A privacy address in the same network is the same place. */
export function activitySignals({ before, now, listed }: ActivityFacts): RiskSignal[] {
  if (before.ip === undefined || now.ip === undefined || networkOf(before.ip) === networkOf(now.ip)) return [];
  const signals: RiskSignal[] = ['address-changed'];
  if (
    before.location &&
    now.location &&
    isImpossibleTravel({ at: before.at, location: before.location }, { at: now.at, location: now.location })
  ) {
    signals.push('impossible-travel');
  }
  if (listed) signals.push('listed-address');
  return signals;
}
