import { sha256 } from '../shared/crypto.ts';
import type { Evidence } from './evidence.ts';
import { isOver, toMilliseconds } from './flow.ts';
import { countedEvidence } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { FlowView, NewSignIn } from './sign-in-types.ts';
import { expired, findSituation, situationOf, viewOf } from './situation.ts';

/** A hint that can be shown and stored, undefined for anything else. */
const readHint = (hint: string | undefined): string | undefined => {
  const text = hint?.trim() ?? '';
  return text !== '' && text.length <= 254 && !/[\p{Cc}\p{Cs}]/u.test(text) ? text : undefined;
};

const worthKeeping = (evidence: Evidence | undefined): Evidence | undefined =>
  evidence && evidence.methods.length > 0 ? evidence : undefined;

/** Starts a sign-in, or finds it. What it was started with first stays. */
export async function open(parts: SignInParts, flowId: string, input: NewSignIn): Promise<FlowView> {
  const { flows, clock, policy } = parts;
  const now = clock.now();
  const evidence = worthKeeping(countedEvidence(input.session, input.requirement));
  const loginHint = readHint(input.loginHint);
  const flow = await flows.open({
    id: sha256(flowId),
    clientId: input.clientId,
    requirement: input.requirement,
    createdAt: now,
    expiresAt: now + toMilliseconds(policy.flowSeconds),
    ...(loginHint !== undefined && { loginHint }),
    ...(evidence && { evidence, challengeEndsAt: now + toMilliseconds(policy.challengeSeconds) }),
  });
  if (isOver(flow, now) || flow.clientId !== input.clientId) throw expired();
  return viewOf(parts, await situationOf(parts, flow));
}

/** Where a sign-in stands, undefined when it is unknown or over. */
export async function view(parts: SignInParts, flowId: string): Promise<FlowView | undefined> {
  const situation = await findSituation(parts, flowId);
  return situation && viewOf(parts, situation);
}

/** Forgets what was proven, as after "Not you?". */
export async function restart(parts: SignInParts, flowId: string): Promise<FlowView> {
  const flow = await parts.flows.restart(sha256(flowId), parts.clock.now());
  if (!flow) throw expired();
  return viewOf(parts, await situationOf(parts, flow));
}
