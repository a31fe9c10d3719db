import { sha256 } from '../shared/crypto.ts';
import { type Flow, isOver } from './flow.ts';
import { newFlow } from './new-flow.ts';
import type { SignInParts } from './parts.ts';
import type { FlowView, NewSignIn } from './sign-in-types.ts';
import { expired, findSituation, situationOf, viewOf } from './situation.ts';

async function show(parts: SignInParts, flow: Flow, input: NewSignIn): Promise<FlowView> {
  if (isOver(flow, parts.clock.now()) || flow.clientId !== input.clientId) throw expired();
  return viewOf(parts, await situationOf(parts, flow));
}

/** Starts a sign-in, or finds it. What it was started with first stays. */
export async function open(parts: SignInParts, flowId: string, input: NewSignIn): Promise<FlowView> {
  return show(parts, await parts.flows.open(newFlow(parts, flowId, input)), input);
}

/**
 * Where a sign-in stands, or would stand at its start. Nearly all start with nothing proven: such a flow says nothing
 * that its request does not, so it is stored with its first step and not for the page.
 */
export async function look(parts: SignInParts, flowId: string, input: NewSignIn): Promise<FlowView> {
  const stored = input.isNew ? undefined : await parts.flows.find(sha256(flowId));
  const flow = stored ?? newFlow(parts, flowId, input);
  return show(parts, stored || !flow.evidence ? flow : await parts.flows.open(flow), input);
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
