import type { Verdict } from './rule.ts';

/** Where a rule stands. Moments in milliseconds since the epoch. */
export interface AlertState {
  readonly firingSince?: number | undefined;
  readonly lastTrueAt?: number | undefined;
  /** Whether the incident under way was told of. */
  readonly announced: boolean;
  /** Of the newest message that raised it. */
  readonly lastRaisedAt?: number | undefined;
}

/** Times in seconds. */
export interface AlertPolicy {
  /** Least time between two messages that raise one rule. */
  readonly throttle: number;
  /** What goes on for so long is told of again. */
  readonly remind: number;
  /** How long a rule has to be quiet before its incident is over. */
  readonly quiet: number;
}

/** What to tell. */
export interface AlertChange {
  readonly kind: 'raised' | 'resolved';
  /** When the incident began. */
  readonly since: number;
}

export const noAlert: AlertState = { announced: false };

const passed = (from: number | undefined, seconds: number, now: number): boolean =>
  from === undefined || now - from >= seconds * 1000;

/**
 * Moves a rule on. It is raised once when it begins to fire, but not within the throttle of the message before; then
 * again each `remind`; and resolved when it was quiet for a while, if anybody was told of it.
 */
export function nextAlert(
  state: AlertState,
  { firing }: Pick<Verdict, 'firing'>,
  now: number,
  policy: AlertPolicy,
): { readonly state: AlertState; readonly change?: AlertChange } {
  if (!firing) {
    const { firingSince, lastTrueAt, announced, lastRaisedAt } = state;
    if (firingSince === undefined || !passed(lastTrueAt, policy.quiet, now)) return { state };
    const over = { announced: false, lastRaisedAt };
    return announced ? { state: over, change: { kind: 'resolved', since: firingSince } } : { state: over };
  }
  const since = state.firingSince ?? now;
  const going = { ...state, firingSince: since, lastTrueAt: now };
  const due = passed(state.lastRaisedAt, state.announced ? policy.remind : policy.throttle, now);
  if (!due) return { state: going };
  return { state: { ...going, announced: true, lastRaisedAt: now }, change: { kind: 'raised', since } };
}
