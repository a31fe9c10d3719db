import type { AccountId } from '../shared/ids.ts';
import type { Evidence } from './evidence.ts';
import type { Flow } from './flow.ts';

/** The version that a change was decided on. */
export type FlowVersion = Pick<Flow, 'id' | 'version'>;

/** What a step proved. Wrong codes are forgotten with it. */
export interface Advance {
  readonly evidence: Evidence;
  readonly loginHint?: string;
  /** Absent when no challenge is open after it. */
  readonly challengeEndsAt?: number;
  readonly unseenCodes: boolean;
  /** Left out, it stays as it was. */
  readonly offerPasskey?: boolean;
}

/**
 * Where sign-ins are kept. Every change is one conditional statement that touches nothing when the flow is finished,
 * expired or at another version, so of any number of posts at once exactly one takes a step.
 */
export interface FlowStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Sends in one round trip what `work` asks of this and other stores, all or nothing. It has to ask for everything
   * before it waits for anything.
   */
  together<T>(work: () => Promise<T>): Promise<T>;
  /** The same ahead of what the request at hand writes next, in its transaction. `done` settles with that. */
  ahead<T>(work: () => Promise<T>): Promise<{ readonly done: Promise<T> }>;
  /** Adds a new flow unless its id is there, and resolves to the one that is there. */
  open(flow: Flow): Promise<Flow>;
  /**
   * Whether the flow was added as its first step left it: not when its id is there, or when its account was taken back since
   * {@link Evidence.asOf}. The account's access has to be held.
   */
  add(flow: Flow): Promise<boolean>;
  find(id: string): Promise<Flow | undefined>;
  /** The flow after the step; undefined when another change came first. */
  advance(at: FlowVersion, change: Advance, now: number): Promise<Flow | undefined>;
  /**
   * Locks the account until the transaction ends, and says whether the flow still stands there. For a step whose work ends
   * what others have: whoever comes second must not begin it.
   */
  hold(at: FlowVersion, accountId: AccountId, now: number): Promise<boolean>;
  /** Takes one of `limit` tries: how many are used now, undefined when there was none left or the flow has moved. */
  takeCodeTry(at: FlowVersion, limit: number, now: number): Promise<number | undefined>;
  /** Gives back a try that was no guess. */
  returnCodeTry(at: FlowVersion): Promise<void>;
  /**
   * Notes that a code or link is mailed now, whatever the version: false when one was since `since` and its page need not
   * send another, or when the flow is over. `to` is whom a first door is for.
   */
  noteMail(
    id: string,
    mail: { readonly now: number; readonly since?: number; readonly to?: AccountId },
  ): Promise<boolean>;
  /** Forgets all evidence, whatever the version. */
  restart(id: string, now: number): Promise<Flow | undefined>;
  /** Forgets the evidence of every open sign-in of an account but `keptFlow`, so that no step counts that began before. */
  forgetEvidence(accountId: AccountId, keptFlow?: string): Promise<void>;
  /** Whether it was finished by this call. */
  finish(at: FlowVersion, now: number): Promise<boolean>;
  /** Deletes up to `limit` flows that expired, and says how many. */
  purge(now: number, limit: number): Promise<number>;
}
