// The load generator, in a process of its own so that its work is not the server's.
import { createAgent } from './http-client.js';
import { lanes } from './lanes.js';
import { measure } from './measure.js';
const tell = (message) => void process.send?.(message);
/** Waits until the parent has read the server's usage; it sends anything to go on. */
const untilTold = () => new Promise((resolve) => process.once('message', resolve));
async function obey({ lane, target, seconds, warmUpSeconds }) {
    const { concurrency, prepare } = lanes[lane];
    const agent = createAgent(concurrency);
    try {
        const work = await prepare.call(lanes[lane], agent, target);
        await measure(concurrency, warmUpSeconds, work);
        tell('warm');
        await untilTold();
        return await measure(concurrency, seconds, work);
    }
    finally {
        agent.destroy();
    }
}
for (;;) {
    const order = (await untilTold());
    try {
        tell(await obey(order));
    }
    catch (error) {
        tell({ failed: error instanceof Error ? error.message : String(error) });
    }
}
