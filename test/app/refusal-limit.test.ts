import { expect } from 'chai';
import { createRefusalLimit } from '../../src/app/refusal-limit.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';

const valid = new Set(['good', 'new']);

describe('the limit of refused credentials', () => {
  let clock: FixedClock;
  let limited: string[];
  let asked: string[];
  let show: (credential: string, address?: string, by?: string) => Promise<boolean | number>;

  beforeEach(() => {
    clock = new FixedClock();
    [limited, asked] = [[], []];
    const limit = createRefusalLimit({ name: 'tokens', max: 3, clock, onLimited: (name) => limited.push(name) });
    show = async (credential, address = '192.0.2.1', by = 'proxies') => {
      const ask = async () => {
        asked.push(credential);
        return valid.has(credential);
      };
      try {
        return await limit.ask({ by, address, credential }, ask, (answer) => answer);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
        return error.details.retryAfter ?? 0;
      }
    };
  });

  const exhaust = async (): Promise<void> => {
    for (const guess of ['a', 'b', 'c']) expect(await show(guess)).to.equal(false);
  };

  it('refuses what nobody has seen before once too many were refused, without asking', async () => {
    await exhaust();
    expect(await show('d')).to.equal(60);
    expect(await show('new')).to.equal(60);
    expect(asked).to.deep.equal(['a', 'b', 'c']);
    expect(limited).to.deep.equal(['tokens', 'tokens']);
  });

  it('never counts what is good, and lets it go on', async () => {
    for (let turn = 0; turn < 100; turn += 1) expect(await show('good')).to.equal(true);
    await exhaust();
    for (let turn = 0; turn < 100; turn += 1) expect(await show('good')).to.equal(true);
    expect(await show('d')).to.equal(60);
  });

  it('asks again about what was good, and forgets it when it is not any more', async () => {
    valid.add('ended');
    try {
      expect(await show('ended')).to.equal(true);
      await exhaust();
      valid.delete('ended');
      expect(await show('ended'), 'asked').to.equal(false);
      expect(await show('ended'), 'not asked').to.equal(60);
    } finally {
      valid.delete('ended');
    }
  });

  it('is over after a minute, whatever came meanwhile', async () => {
    await exhaust();
    clock.advance(59);
    expect(await show('d')).to.equal(1);
    clock.advance(1);
    expect(await show('new')).to.equal(true);
    await exhaust();
    expect(await show('d')).to.equal(60);
  });

  it('counts each address and each asker for itself, and a network of IPv6 as one', async () => {
    await exhaust();
    expect(await show('d', '192.0.2.2')).to.equal(false);
    expect(await show('d', '192.0.2.1', 'another')).to.equal(false);
    for (const host of ['1', '2', '3']) expect(await show(`v6-${host}`, `2001:db8::${host}`)).to.equal(false);
    expect(await show('v6-4', '2001:db8::4')).to.equal(60);
    expect(await show('v6-4', '2001:db8:0:1::4')).to.equal(false);
  });

  it('takes what was good at one address for good at another, but not for another asker', async () => {
    expect(await show('good', '192.0.2.9')).to.equal(true);
    await exhaust();
    expect(await show('good')).to.equal(true);
    for (const guess of ['a', 'b', 'c']) await show(guess, '192.0.2.1', 'another');
    expect(await show('good', '192.0.2.1', 'another')).to.equal(60);
  });
});
