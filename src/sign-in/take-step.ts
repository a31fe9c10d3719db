import type { Flow } from './flow.ts';
import type { Advance, FlowStore } from './flow-store.ts';

class FlowMoved extends Error {}

/**
 * Does `work` and takes the step in one transaction. When the flow took another step meanwhile, what `work` wrote is
 * undone and the answer is `moved`; when `work` answers anything but a change, nothing is taken and that is the answer.
 * @param forget clears counts of failures. It comes last, as wherever an account is taken back: else two would wait for each other
 */
export async function takeStep<Verdict extends string>(
  flows: FlowStore,
  flow: Flow,
  now: number,
  work: () => Promise<Advance | Verdict>,
  forget: () => Promise<void> = async () => undefined,
): Promise<Flow | Verdict | 'moved'> {
  try {
    return await flows.transaction(async () => {
      const change = await work();
      if (typeof change === 'string') return change;
      const next = await flows.advance(flow, change, now);
      if (!next) throw new FlowMoved();
      await forget();
      return next;
    });
  } catch (error) {
    if (error instanceof FlowMoved) return 'moved';
    throw error;
  }
}
