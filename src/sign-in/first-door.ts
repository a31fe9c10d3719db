import type { Account } from '../accounts/index.ts';
import type { RememberedUse } from '../devices/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { type Evidence, type Proof, withProof } from './evidence.ts';
import { recordFailure } from './failures.ts';
import { finishedBy } from './finish.ts';
import { type Flow, toMilliseconds, unstored } from './flow.ts';
import { spares } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { DoorInput, FinishedSignIn, RequestMeta, SubmitResult, UnstoredStep } from './sign-in-types.ts';
import { decide, type Known, viewOf } from './situation.ts';
import type { Reservation } from './throttle-store.ts';

/** What opened the first door, and what was known before it was looked at. */
export interface Opened {
  readonly flow: Flow;
  readonly account: Account;
  readonly known: Known;
  readonly proof: Proof;
  /** See {@link Evidence.asOf}: asked for before the proof was looked at. */
  readonly asOf: number;
  readonly loginHint?: string;
  /** The try that this was, where tries are counted. */
  readonly reservation?: Reservation;
  /** Asks the person at the end if they want a passkey. */
  readonly offerPasskey: boolean;
  readonly input: Pick<DoorInput, 'finish' | 'device'>;
  readonly meta: RequestMeta;
  /** Something about it is unusual, so nothing is spared. */
  readonly cautious?: boolean;
}

/** The flow as the step leaves it. */
function nextFlow({ clock, policy }: SignInParts, opened: Opened, more: readonly Proof[] = []): Flow {
  const { flow, account, proof, asOf, loginHint, offerPasskey } = opened;
  let evidence: Evidence = { ...withProof(flow.evidence, account.id, proof), asOf };
  for (const other of more) evidence = withProof(evidence, account.id, other);
  return {
    ...flow,
    evidence: opened.cautious ? { ...evidence, cautious: true } : evidence,
    ...(loginHint !== undefined && { loginHint }),
    challengeEndsAt: clock.now() + toMilliseconds(policy.challengeSeconds),
    unseenCodes: flow.unseenCodes && flow.evidence?.accountId === account.id,
    offerPasskey,
    wrongCodes: 0,
    version: flow.version + 1,
  };
}

/** Lets a remembered browser stand for the second door, where one is due and that is enough. */
async function recallDevice(parts: SignInParts, opened: Opened): Promise<RememberedUse | undefined> {
  const { flow, account, known, input, meta } = opened;
  const token = spares(flow.requirement) && !opened.cautious ? input.device?.tokenOf?.(account.id) : undefined;
  if (token === undefined) return undefined;
  const { step } = decide(parts, nextFlow(parts, opened), account, known);
  return step === 'second-factor' ? parts.devices.useRemembered(account.id, input.device?.id, token, meta) : undefined;
}

/** What is unusual about it; without anybody who looks, nothing is. */
const lookAt = async ({ risk }: SignInParts, { flow, account, reservation, meta }: Opened) =>
  (await risk?.assessSignIn({
    accountId: account.id,
    flowHash: flow.id,
    // An app that does not say which installation it is comes from a new one: leaving it out must spare nothing.
    deviceKnown: reservation?.known,
    meta,
  })) ?? { action: 'off' as const };

const failureOf = ({ flow, account, reservation, meta }: Opened) =>
  ({ type: 'sign_in.failed', flow, meta, accountId: account.id, ...(reservation && { reservation }) }) as const;

const unproven = new Set(['password', 'second-factor', 'enroll-totp']);

function finishedFrom({ reservation }: Opened, flow: Flow): FinishedSignIn | undefined {
  const finished = finishedBy(flow);
  return finished && { ...finished, ...(reservation && { deviceKnown: reservation.known }) };
}

/** The step as a change of the flow, and where that leads. */
function stepOf(parts: SignInParts, opened: Opened, remembered: RememberedUse | undefined) {
  const device: Proof = { method: 'device', at: epochSeconds(parts.clock) };
  const next = nextFlow(parts, opened, remembered?.remembered ? [device] : []);
  const situation = decide(parts, next, opened.account, opened.known);
  const done = situation.step === 'done';
  return {
    next,
    proven: !unproven.has(situation.step),
    finished: done && opened.input.finish ? finishedFrom(opened, next) : undefined,
    view: viewOf(parts, situation),
  };
}

type Taken = ReturnType<typeof stepOf>;

/** Else a known password would buy a fresh set of tries at the second door each time. */
async function settle({ throttle }: SignInParts, { reservation }: Opened, { proven }: Taken): Promise<void> {
  if (reservation) await (proven ? throttle.reset(reservation) : throttle.giveBack(reservation));
}

async function noteOffer({ facts, clock }: SignInParts, { flow, account, offerPasskey }: Opened): Promise<void> {
  if (offerPasskey && !flow.offerPasskey) await facts.noteOffer(account.id, clock.now());
}

const storedAs = ({ clock }: SignInParts, { next, finished }: Taken): Flow =>
  finished ? { ...next, finishedAt: clock.now() } : next;

/** The flow as its first step leaves it, with all that goes with it; whoever takes the account back waits, or was waited for. */
async function writeFirst(parts: SignInParts, opened: Opened, taken: Taken): Promise<boolean> {
  const [, added] = await Promise.all([
    parts.revocations.hold(opened.account.id),
    parts.flows.add(storedAs(parts, taken)),
    settle(parts, opened, taken),
    noteOffer(parts, opened),
  ]);
  return added;
}

/** The first step of a flow, in one round trip. */
async function storeFirst(parts: SignInParts, opened: Opened, taken: Taken): Promise<boolean> {
  return parts.flows.together(() => writeFirst(parts, opened, taken));
}

/** The same as a part of the transaction that opens the session. */
const stepOfSession = (parts: SignInParts, opened: Opened, taken: Taken): UnstoredStep => ({
  store: () => parts.flows.ahead(() => writeFirst(parts, opened, taken)),
  async undo() {
    if (opened.reservation) await parts.throttle.giveBack(opened.reservation);
  },
});

/** A later step: nothing is written when the flow took another one meanwhile, or the account was taken back. */
const advance = (parts: SignInParts, opened: Opened, taken: Taken): Promise<boolean> => {
  const { flows, revocations, clock } = parts;
  const { evidence } = taken.next;
  if (!evidence) throw new Error('A step proved nothing.');
  return flows.transaction(async () => {
    await revocations.hold(opened.account.id);
    if ((await revocations.endOf(opened.account.id)) !== opened.asOf) return false;
    const next = await flows.advance(opened.flow, { ...taken.next, evidence }, clock.now());
    if (!next) return false;
    await settle(parts, opened, taken);
    await noteOffer(parts, opened);
    if (!taken.finished) return true;
    if (!(await flows.finish(next, clock.now()))) throw new Error('A sign-in was ended under a lock of its own.');
    return true;
  });
};

/**
 * Takes the step through the first door; `moved` when the flow took another one meanwhile. A full proof clears the count
 * of failures; half of one only takes this try off it.
 */
export async function openFirstDoor(
  parts: SignInParts,
  shown: Opened,
): Promise<{
  /** The flow took another step meanwhile. */
  readonly moved: boolean;
  /** The installation does not let such a sign-in in. */
  readonly denied: boolean;
  readonly remembered: RememberedUse | undefined;
  readonly result?: SubmitResult;
}> {
  const { action } = await lookAt(parts, shown);
  if (action === 'end') {
    await recordFailure(parts, { ...failureOf(shown), reason: 'unusual' });
    return { moved: false, denied: true, remembered: undefined };
  }
  const opened = { ...shown, cautious: action === 'second-factor' };
  const remembered = await recallDevice(parts, opened);
  const taken = stepOf(parts, opened, remembered);
  const isFirst = opened.flow.version === unstored;
  const step =
    isFirst && taken.finished && opened.input.finish === 'with-session'
      ? stepOfSession(parts, opened, taken)
      : undefined;
  if (step || (await (isFirst ? storeFirst(parts, opened, taken) : advance(parts, opened, taken)))) {
    const result = {
      outcome: 'accepted' as const,
      view: taken.view,
      ...(taken.finished && { finished: { ...taken.finished, ...(step && { step }) } }),
      ...(remembered && { remembered }),
    };
    return { moved: false, denied: false, remembered, result };
  }
  if (opened.reservation) await parts.throttle.giveBack(opened.reservation);
  return { moved: true, denied: false, remembered };
}
