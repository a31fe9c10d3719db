import { AppError } from '../shared/errors.ts';
import { describeEvidence } from './evidence.ts';
import { countedEvidence } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { FinishedSignIn, RequestMeta } from './sign-in-types.ts';
import { getSituation } from './situation.ts';

/** Ends the sign-in, once, and says who signed in and how. */
export async function finish(parts: SignInParts, flowId: string, meta: RequestMeta = {}): Promise<FinishedSignIn> {
  const { flows, audit, clock } = parts;
  const { flow, account, step } = await getSituation(parts, flowId);
  const evidence = countedEvidence(flow.evidence, flow.requirement);
  if (step !== 'done' || !account || !evidence) {
    throw new AppError('conflict', 'This sign-in is not complete. Go back to it and take the next step.');
  }
  const authentication = describeEvidence(evidence);
  await flows.transaction(async () => {
    if (!(await flows.finish(flow, clock.now()))) {
      throw new AppError('conflict', 'This sign-in was completed already. Go back to the app.');
    }
    await audit.record({
      ...meta,
      type: 'sign_in.succeeded',
      actor: { kind: 'account', id: account.id },
      outcome: 'success',
      subject: account.id,
      clientId: flow.clientId,
      details: { amr: authentication.amr, acr: authentication.acr },
    });
  });
  return { accountId: account.id, ...authentication, evidence };
}
