import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import { type AlertChange, type AlertPolicy, type AlertState, nextAlert, noAlert } from './alert.ts';
import type { AlertStore } from './alert-store.ts';
import type { Facts } from './facts.ts';
import { judge, type RuleName, ruleNames, type Thresholds, type Verdict } from './rule.ts';

/** An alert that begins, goes on for long, or is over. */
export interface Alert extends AlertChange {
  readonly rule: RuleName;
  readonly at: number;
  readonly verdict: Verdict;
}

/** Looks for what operators have to know. */
export interface Alerts {
  /**
   * Looks once, unless another node does or just did. What is found is recorded, mailed and remembered in one
   * transaction: after a crash it has happened as a whole or will happen at the next look. Says how many alerts there were.
   */
  evaluate(): Promise<number>;
}

interface Needs {
  readonly store: AlertStore;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
  /** What there is to look at now; asked in the transaction of the leader. */
  readonly facts: () => Promise<Facts>;
  /** Tells people, in the transaction; webhooks hear of it by the audit log. */
  readonly tell: (alert: Alert) => Promise<void>;
  readonly thresholds: Thresholds;
  readonly policy: AlertPolicy;
  /** Seconds between two looks of all nodes together. */
  readonly every: number;
}

async function announce({ audit, tell }: Needs, alert: Alert): Promise<void> {
  const { rule, kind, since, verdict } = alert;
  const { value, threshold, summary } = verdict;
  await audit.record({
    type: kind === 'raised' ? 'alert.raised' : 'alert.resolved',
    actor: { kind: 'system' },
    outcome: 'success',
    subject: rule,
    details: { since: new Date(since).toISOString(), ...(kind === 'raised' && { value, threshold, summary }) },
  });
  await tell(alert);
}

async function look(needs: Needs): Promise<number> {
  const { store, clock, facts, thresholds, policy, every } = needs;
  const at = clock.now();
  if (!(await store.lead(at, every / 2))) return 0;
  const [found, states] = [await facts(), await store.load()];
  const next = new Map<string, AlertState>();
  let told = 0;
  for (const rule of ruleNames) {
    const verdict = judge(rule, found, thresholds);
    const { state, change } = nextAlert(states.get(rule) ?? noAlert, verdict, at, policy);
    next.set(rule, state);
    if (!change) continue;
    await announce(needs, { ...change, rule, at, verdict });
    told += 1;
  }
  await store.save(next, at);
  return told;
}

/** Makes the alerts domain. */
export const createAlerts = (needs: Needs): Alerts => ({
  evaluate: () => needs.store.transaction(() => look(needs)),
});
