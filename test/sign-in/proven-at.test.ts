import { expect } from 'chai';
import { systemClock } from '../../src/shared/clock.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import type { SignInParts } from '../../src/sign-in/index.ts';
import { provenAt } from '../../src/sign-in/proven-at.ts';

describe('the time of a proof', () => {
  const id = asAccountId('acc_1');
  const endedAt = (moment: number) =>
    ({
      clock: systemClock,
      revocations: { isRevokedCached: ([check]) => (check?.issuedAt ?? 0) <= moment },
    }) as Pick<SignInParts, 'clock' | 'revocations'> as SignInParts;

  it('is now', async () => {
    const before = Math.floor(Date.now() / 1000);
    expect(await provenAt(endedAt(Date.now() - 5000), id)).to.be.within(before, before + 1);
  });

  it('is after the second in which access was ended, so that nothing takes it for older', async () => {
    const moment = Date.now();
    expect((await provenAt(endedAt(moment), id)) * 1000).to.be.above(moment);
  });
});
