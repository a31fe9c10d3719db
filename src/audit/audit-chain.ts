import type { Clock } from '../shared/clock.ts';
import type { AuditLog } from './audit-log.ts';
import type { ChainHead } from './chain.ts';
import type { ChainStore } from './chain-store.ts';
import { pruneEvents } from './prune-events.ts';
import { sealEvents } from './seal-events.ts';
import { beginCheck, type ChainCheck, checkMore } from './verify-chain.ts';

/** The head of the chain, and what has yet to get there. */
export interface ChainStatus {
  readonly head: ChainHead;
  /** What retention removed last; number 0 when nothing was. */
  readonly start: ChainHead;
  /** When the head was sealed, milliseconds since the epoch. */
  readonly sealedAt?: number;
  /** Events without a number; counting stops at 100 000. */
  readonly waiting: number;
  /** When the first of them happened. */
  readonly waitingSince?: number;
}

/** The log as a hash chain: what is sealed cannot be changed, removed or added to without {@link AuditChain.check} noticing. */
export interface AuditChain {
  /** Seals what has settled; one node at a time. Says how many events. */
  seal(): Promise<number>;
  /** Removes what is older than the policy keeps. Says how many events. */
  prune(): Promise<number>;
  status(): Promise<ChainStatus>;
  /**
   * Checks one part; begin without `check` and go on with what comes back until its phase is `done` or it has a fault.
   * @param expected a head that was written down earlier: the chain has to pass through it
   * @throws AppError `not_found`, `conflict` when the check cannot begin there
   */
  check(
    question: { readonly from?: number | undefined; readonly expected?: ChainHead | undefined },
    check?: ChainCheck,
  ): Promise<ChainCheck>;
}

interface Needs {
  readonly store: ChainStore;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  /** 16 random bytes, hexadecimal. */
  readonly newSalt: () => string;
  /** `days` of 0 keeps all. */
  readonly policy: { readonly days: number };
}

const mostWaiting = 100_000;

/** Puts the chain on its store. */
export const createAuditChain = (needs: Needs): AuditChain => ({
  seal: () => sealEvents(needs),
  prune: () => pruneEvents(needs, needs.policy.days),
  async status() {
    const state = await needs.store.state();
    const { count, since } = await needs.store.waiting(mostWaiting);
    return { ...state, waiting: count, ...(since !== undefined && { waitingSince: since }) };
  },
  async check({ from, expected }, check) {
    return checkMore(needs.store, check ?? (await beginCheck(needs.store, from, expected)), expected);
  },
});
