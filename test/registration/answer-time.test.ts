import { expect } from 'chai';
import { createAnswerTime } from '../../src/registration/index.ts';

describe('the answer time', () => {
  const timed = async (work: () => Promise<unknown>): Promise<{ ms: number; result: unknown }> => {
    const started = performance.now();
    const result = await createAnswerTime(80)(work).catch((error: unknown) => error);
    return { ms: performance.now() - started, result };
  };

  it('is not shorter for quick work, nor for work that fails', async () => {
    const good = await timed(async () => 'done');
    expect(good.ms).to.be.at.least(78);
    expect(good.result).to.equal('done');
    const bad = await timed(() => Promise.reject(new Error('no')));
    expect(bad.ms).to.be.at.least(78);
    expect(bad.result).to.be.an('error');
  });

  it('adds nothing to work that takes longer', async () => {
    const order: string[] = [];
    const slow = createAnswerTime(5)(async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      order.push('work');
    });
    await slow;
    order.push('answer');
    expect(order).to.deep.equal(['work', 'answer']);
  });
});
