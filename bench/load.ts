// The load generator, in a process of its own so that its work is not the server's.
import { createAgent } from './http-client.ts';
import { type LaneName, lanes } from './lanes.ts';
import { type Measurement, measure } from './measure.ts';
import type { Target } from './target.ts';

export interface LoadOrder {
  readonly lane: LaneName;
  readonly target: Target;
  readonly seconds: number;
  /** Load before the clock runs. */
  readonly warmUpSeconds: number;
}

export type LoadMessage = 'warm' | Measurement | { readonly failed: string };

const tell = (message: LoadMessage): void => void process.send?.(message);

/** Waits until the parent has read the server's usage; it sends anything to go on. */
const untilTold = (): Promise<unknown> => new Promise((resolve) => process.once('message', resolve));

async function obey({ lane, target, seconds, warmUpSeconds }: LoadOrder): Promise<Measurement> {
  const { concurrency, prepare } = lanes[lane];
  const agent = createAgent(concurrency);
  try {
    const work = await prepare.call(lanes[lane], agent, target);
    await measure(concurrency, warmUpSeconds, work);
    tell('warm');
    await untilTold();
    return await measure(concurrency, seconds, work);
  } finally {
    agent.destroy();
  }
}

process.once('disconnect', () => process.exit(0));
for (;;) {
  const order = (await untilTold()) as LoadOrder;
  try {
    tell(await obey(order));
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
  }
}
