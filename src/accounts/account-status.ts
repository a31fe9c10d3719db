import type { Actor } from '../audit/index.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { AccountStatus } from './account.ts';

/** On whose behalf an account changes its status. */
export type Party = 'person' | 'operator' | 'server';

export type Move = 'verify' | 'recover' | 'lock' | 'suspend' | 'enable' | 'delete' | 'restore';

interface Rule {
  readonly from: readonly AccountStatus[];
  /** `before` is the status that the opposite move found. */
  readonly to: AccountStatus | 'before';
  readonly by: readonly Party[];
}

/**
 * Every way from one status to another, and who may take it. The person comes with a proof: of the mailbox for `verify`
 * and `recover`, of a fresh sign-in for `delete`. What is deleted goes nowhere but back, and is purged when it is time.
 */
export const moves: Readonly<Record<Move, Rule>> = {
  verify: { from: ['unverified'], to: 'active', by: ['person', 'operator'] },
  recover: { from: ['unverified', 'locked'], to: 'active', by: ['person'] },
  lock: { from: ['active'], to: 'locked', by: ['operator', 'server'] },
  suspend: { from: ['active', 'unverified', 'locked'], to: 'suspended', by: ['operator', 'server'] },
  enable: { from: ['suspended', 'locked'], to: 'before', by: ['operator'] },
  delete: { from: ['active', 'unverified', 'suspended', 'locked'], to: 'deleted', by: ['person', 'operator'] },
  restore: { from: ['deleted'], to: 'before', by: ['operator'] },
};

/** What a person may only do while they could sign in: whom an operator stopped cannot delete what was stopped. */
const personFrom: Partial<Record<Move, readonly AccountStatus[]>> = { delete: ['active'] };

/** For whom an actor speaks where this account is concerned; undefined for a stranger, who may change nothing. */
export function partyOf(actor: Actor, accountId: AccountId): Party | undefined {
  if (actor.kind === 'stranger') return undefined;
  if (actor.kind === 'system') return 'server';
  return actor.kind === 'account' && actor.id === accountId ? 'person' : 'operator';
}

/** The statuses from which this party may take the move; none when it may not at all. */
export function startsOf(move: Move, party: Party | undefined): readonly AccountStatus[] {
  const { from, by } = moves[move];
  if (party === undefined || !by.includes(party)) return [];
  return (party === 'person' && personFrom[move]) || from;
}

/** As {@link startsOf}, for an actor. @throws AppError `forbidden` when they may not take the move from anywhere. */
export function allowedStarts(move: Move, actor: Actor, accountId: AccountId): readonly AccountStatus[] {
  const from = startsOf(move, partyOf(actor, accountId));
  if (from.length > 0) return from;
  throw new AppError('forbidden', 'This is not something that you can do to this account.');
}
