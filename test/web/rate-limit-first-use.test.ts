import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Context } from 'koa';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { openRedis } from '../../src/storage/redis.ts';
import { createRateLimit } from '../../src/web/http/rate-limit.ts';

const redisUrl = process.env.TEST_REDIS_URL;
const fifty = Array.from({ length: 50 }, (_, index) => index);

if (redisUrl) {
  describe('limits on a connection that others use', () => {
    it('give everybody their own answer when they are first used in the middle of the others', async () => {
      await using redis = openRedis(redisUrl);
      expect(await redis.ready(2_000)).to.equal(true);
      const prefix = `sallyport:test:${randomUUID()}`;
      await Promise.all(fifty.map((n) => redis.run((client) => client.set(`${prefix}:${n}`, `value ${n}`, 'EX', 60))));

      const messages: unknown[] = [];
      const logger = Object.assign(silentLogger(), { warn: (facts: unknown) => messages.push(facts) });
      const limits = createRateLimit({ redis: redis.client, logger, clock: systemClock });
      const limit = limits.limit({ name: prefix, max: 1_000, windowSeconds: 60, key: () => 'somebody' });
      const counter = limits.counter({ name: prefix, max: 1_000, windowSeconds: 60 });
      const ask = async (n: number): Promise<string | null> => {
        const before = redis.run((client) => client.get(`${prefix}:${n}`));
        const passed = limit({} as Context as never, async () => undefined);
        const counted = counter.take('somebody');
        const after = redis.run((client) => client.get(`${prefix}:${n}`));
        await Promise.all([passed, counted]);
        expect(await before).to.equal(await after);
        return after;
      };
      const answers = await Promise.allSettled(fifty.map(ask));
      expect(
        answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason))),
      ).to.deep.equal(fifty.map((n) => `value ${n}`));
      expect(messages, 'nothing was counted elsewhere').to.deep.equal([]);
    });
  });
}
