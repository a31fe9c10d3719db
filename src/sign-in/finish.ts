import { waitUntil } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { describeEvidence } from './evidence.ts';
import type { Flow } from './flow.ts';
import { countedEvidence } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { FinishedSignIn, RequestMeta } from './sign-in-types.ts';
import { getSituation } from './situation.ts';

/** Who signed in and how, when this flow is ended as it stands. */
export function finishedBy(flow: Flow): FinishedSignIn | undefined {
  const evidence = countedEvidence(flow.evidence, flow.requirement);
  return (
    evidence && { accountId: evidence.accountId, clientId: flow.clientId, ...describeEvidence(evidence), evidence }
  );
}

/** Writes down that somebody signed in. */
export const recordSuccess = (
  { audit }: SignInParts,
  { accountId, clientId, amr, acr }: FinishedSignIn,
  meta: RequestMeta,
): Promise<void> =>
  audit.record({
    ...meta,
    type: 'sign_in.succeeded',
    actor: { kind: 'account', id: accountId },
    outcome: 'success',
    subject: accountId,
    clientId,
    details: { amr, acr },
  });

/** Ends the sign-in, once, and says who signed in and how. */
export async function finish(parts: SignInParts, flowId: string): Promise<FinishedSignIn> {
  const { flows, clock } = parts;
  const { flow, account, step } = await getSituation(parts, flowId);
  const finished = finishedBy(flow);
  if (step !== 'done' || !account || !finished) {
    throw new AppError('conflict', 'This sign-in is not complete. Go back to it and take the next step.');
  }
  // A new password dates what was proven to the next second, and whatever is issued before that ended with the old one.
  await waitUntil(clock, Math.max(...finished.evidence.methods.map(({ at }) => at)) * 1000);
  if (!(await flows.finish(flow, clock.now()))) {
    throw new AppError('conflict', 'This sign-in was completed already. Go back to the app.');
  }
  return finished;
}
