import { expect } from 'chai';
import { FixedClock, systemClock, waitUntil } from '../../src/shared/clock.ts';

describe('waiting until a moment', () => {
  it('is never over before it, however long the event loop was busy', async () => {
    for (let round = 0; round < 20; round += 1) {
      const busyUntil = performance.now() + 15;
      while (performance.now() < busyUntil);
      const moment = Date.now() + 20;
      await waitUntil(systemClock, moment);
      expect(Date.now()).to.be.at.least(moment);
    }
  });

  it('is over at once when it has passed, and ends where the clock stands still', async () => {
    await waitUntil(systemClock, Date.now() - 60_000);
    await waitUntil(systemClock, Number.NEGATIVE_INFINITY);
    const clock = new FixedClock();
    await waitUntil(clock, clock.now() + 5);
  });
});
