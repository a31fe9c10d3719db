import { AppError } from '../shared/errors.ts';
import { type ChainHead, isBare, nextHead, personalDigest } from './chain.ts';
import type { ChainStore, SealedEvent } from './chain-store.ts';

/** What is wrong with the log, and from which number on. */
export interface ChainFault {
  /** The first number that cannot be trusted. */
  readonly number: number;
  readonly kind: 'changed' | 'missing' | 'inserted' | 'other-head';
  readonly eventId?: string;
}

/** How far a check has come. It is handed back for the next part. */
export interface ChainCheck {
  /** What the links are checked for first; then whether any event has none. */
  readonly phase: 'links' | 'events' | 'done';
  readonly last: ChainHead;
  /** Id of the event that was looked at last, in phase `events`. */
  readonly eventId: string;
  readonly checked: number;
  /** Events whose personal values were erased. */
  readonly erased: number;
  /** Events that are dated more than an hour before one that was written earlier. A clock may do that, and a forger. */
  readonly backdated: number;
  /** The latest moment so far, milliseconds since the epoch. */
  readonly latest: number;
  readonly fault?: ChainFault;
}

const part = 1_000;
const hour = 3_600_000;

async function headBefore(store: ChainStore, from?: number): Promise<ChainHead> {
  const { start } = await store.state();
  if (from === undefined || from === start.number + 1) return start;
  const [before] = from > start.number ? await store.links(from - 2, 1) : [];
  if (before?.number === from - 1) return { number: before.number, hash: before.hash };
  throw new AppError('not_found', `There is no number ${from} in the chain. It begins at ${start.number + 1}.`);
}

/**
 * Where a check begins.
 * @throws AppError `not_found` when the chain does not have number `from` (any more); `conflict` when `expected` lies
 * before it, so that the check would not come past it
 */
export async function beginCheck(store: ChainStore, from?: number, expected?: ChainHead): Promise<ChainCheck> {
  const last = await headBefore(store, from);
  if (expected && expected.number < last.number) {
    const text = `Number ${expected.number} cannot be compared: the check begins after ${last.number}.`;
    throw new AppError('conflict', text);
  }
  return { phase: 'links', last, eventId: '', checked: 0, erased: 0, backdated: 0, latest: 0 };
}

/** Follows one link. Undefined when it does not fit. */
function follow(check: ChainCheck, { number, hash, salt, personal, event }: SealedEvent): ChainCheck | undefined {
  if (event === null) return undefined;
  if (salt === null ? !isBare(event) : personalDigest(event, salt) !== personal) return undefined;
  const last = nextHead(check.last, event, personal);
  if (last.number !== number || last.hash !== hash) return undefined;
  const at = Number(event.at) / 1000;
  return {
    ...check,
    last,
    checked: check.checked + 1,
    erased: check.erased + (salt === null ? 1 : 0),
    backdated: check.backdated + (at < check.latest - hour ? 1 : 0),
    latest: Math.max(check.latest, at),
  };
}

function faultAt({ last }: ChainCheck, link: SealedEvent): ChainFault {
  const number = last.number + 1;
  if (link.number !== number) return { number, kind: 'missing' };
  return { number, kind: link.event === null ? 'missing' : 'changed', eventId: link.eventId };
}

const differs = (given: ChainHead, expected?: ChainHead): boolean =>
  given.number === expected?.number && given.hash !== expected.hash;

async function checkLinks(store: ChainStore, given: ChainCheck, expected?: ChainHead): Promise<ChainCheck> {
  // The head from before and the start from after: what is sealed or removed meanwhile is no fault.
  const { head } = await store.state();
  const links = await store.links(given.last.number, part);
  const { start } = await store.state();
  // What was not checked yet may have been removed by retention meanwhile: the check goes on where the chain begins now.
  let check = start.number > given.last.number ? { ...given, last: start } : given;
  if (differs(check.last, expected)) return { ...check, fault: { number: check.last.number, kind: 'other-head' } };
  for (const link of links) {
    if (link.number <= check.last.number) continue;
    const next = follow(check, link);
    if (!next) return { ...check, fault: faultAt(check, link) };
    check = next;
    if (differs(check.last, expected)) return { ...check, fault: { number: check.last.number, kind: 'other-head' } };
  }
  if (links.length === part) return check;
  const { number } = check.last;
  if (number < head.number) return { ...check, fault: { number: number + 1, kind: 'missing' } };
  if (differs(check.last, head)) return { ...check, fault: { number, kind: 'changed' } };
  if (expected && number < expected.number) return { ...check, fault: { number: number + 1, kind: 'missing' } };
  return { ...check, phase: 'events' };
}

async function checkEvents(store: ChainStore, check: ChainCheck): Promise<ChainCheck> {
  const { inserted, next } = await store.unsealed(check.eventId, part);
  const [first] = [...inserted].sort((one, other) => one.before - other.before);
  if (first)
    return { ...check, fault: { number: first.before || check.last.number, kind: 'inserted', eventId: first.eventId } };
  return next === undefined ? { ...check, phase: 'done' } : { ...check, eventId: next };
}

/**
 * Checks one more part of the log, a thousand events at most: that every link fits the one before and its event, that
 * none is missing, that the chain passes through `expected`, and at the end that no event was slipped in beside it.
 */
export function checkMore(store: ChainStore, check: ChainCheck, expected?: ChainHead): Promise<ChainCheck> {
  return check.phase === 'links' ? checkLinks(store, check, expected) : checkEvents(store, check);
}
