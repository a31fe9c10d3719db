import type { AccountId } from '../shared/ids.ts';
import type { RiskSignal } from './risk-policy.ts';

/** Signals that were noticed at a sign-in, by the hash of its flow, or while a session was used. */
export interface RiskFinding {
  readonly accountId: AccountId;
  readonly about: { readonly flowHash: string } | { readonly sessionId: string };
  readonly signals: readonly RiskSignal[];
  /** Milliseconds since the epoch, as all times here. */
  readonly at: number;
}

/** What happened lately, as the rules ask for it, and what they found. */
export interface RiskFacts {
  /** When and from which address the account was seen last, by any session. */
  lastSeen(accountId: AccountId): Promise<{ readonly at: number; readonly ip?: string | undefined } | undefined>;
  /** Different accounts that were tried from this address since then, `cap` at most. */
  accountsAt(ip: string, since: number, cap: number): Promise<number>;
  note(finding: RiskFinding): Promise<void>;
  /** The signals of each session of an account that has any, by its handle. */
  signalsOf(accountId: AccountId): Promise<ReadonlyMap<string, readonly RiskSignal[]>>;
  /** Deletes up to `limit` findings from before then and says how many. */
  purge(before: number, limit: number): Promise<number>;
}
