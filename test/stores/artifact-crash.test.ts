import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import type { RedisConnection } from '../../src/storage/redis.ts';
import { testDatabase } from '../support/database.ts';
import { openPatiently } from '../support/redis.ts';
import { type CrashOrder, type CrashPoint, crashPoints } from './artifact-crash-child.ts';
import { type ArtifactLane, type Fixture, issue, newGrant, redisLane, refreshOnce, sqlLane } from './artifact-lane.ts';

/** Lets a child of its own redeem, and die there; returns what it had issued by then. */
async function crash(order: CrashOrder): Promise<{ refresh: string; access: string }[]> {
  const child = fork(new URL('./artifact-crash-child.ts', import.meta.url), { stdio: 'inherit' });
  const issued: { refresh: string; access: string }[] = [];
  child.on('message', (message) => issued.push(message as { refresh: string; access: string }));
  child.send(order);
  const [, signal] = await once(child, 'exit');
  expect(signal).to.equal('SIGKILL');
  return issued;
}

/** `isStored`: whether what the child did is there when it dies at this point. `leased`: whether its claim lasts a while. */
function describeCrashes(
  lane: ArtifactLane,
  url: () => string,
  { isStored, leased }: { isStored: (point: CrashPoint) => boolean; leased: boolean },
): void {
  for (const point of crashPoints) {
    it(`kill -9 when "${point}": ${isStored(point) ? 'the family can be continued' : 'the old ones still work'}`, async () => {
      const at: Fixture = await lane.open();
      const [codeGrant, refreshGrant] = [await newGrant(at.stores), await newGrant(at.stores)];
      const { refresh } = await issue(at.stores, refreshGrant);
      const orphans = await crash({
        url: url(),
        point,
        now: at.clock.now(),
        tokens: [
          { kind: 'AuthorizationCode', id: codeGrant.codeId, grantId: codeGrant.grantId },
          { kind: 'RefreshToken', id: refresh, grantId: refreshGrant.grantId },
        ],
      });
      at.clock.advance(1);

      if (leased && !isStored(point)) {
        const early = at.unit(() => refreshOnce(at.stores, refresh));
        expect(await early.catch(({ error }: { error: string }) => error)).to.equal('invalid_grant');
        at.clock.advance(10);
      }
      const next = await at.unit(() => refreshOnce(at.stores, refresh));
      expect(next.outcome).to.equal('ok');
      const after = await at.unit(() => refreshOnce(at.stores, 'refresh' in next ? next.refresh : ''));
      expect(after.outcome).to.equal('ok');
      const live = orphans.map(({ refresh: id }) =>
        at.request({ redeeming: false }, () => at.stores('RefreshToken').find(id)),
      );
      const orphan = (await Promise.all(live)).filter(
        (found) => found?.grantId === refreshGrant.grantId && !found.consumed,
      );
      expect(orphan, 'a second live chain').to.have.length(0);

      const code = await at.stores('AuthorizationCode').find(codeGrant.codeId);
      expect(Boolean(code?.consumed)).to.equal(isStored(point));
      if (!isStored(point)) {
        await at.unit(() => at.stores('AuthorizationCode').consume(codeGrant.codeId));
        for (const { access } of orphans) expect(await at.stores('AccessToken').find(access)).to.equal(undefined);
      }
    });
  }
}

(process.env.TEST_DATABASE_URL ? describe : describe.skip)('a crash on PostgreSQL', () => {
  const url = () => process.env.TEST_DATABASE_URL ?? '';
  const lane = sqlLane('postgres', () => testDatabase('postgres'));
  describeCrashes(lane, url, { isStored: (point) => point === 'over', leased: false });
});

(process.env.TEST_REDIS_URL ? describe : describe.skip)('a crash on Redis', () => {
  const url = () => process.env.TEST_REDIS_URL ?? '';
  let redis: RedisConnection | undefined;
  const connect = async (): Promise<RedisConnection> => {
    redis ??= await openPatiently(url());
    return redis;
  };
  after(() => redis?.[Symbol.asyncDispose]());
  const lane = redisLane('redis', connect, () => testDatabase());
  describeCrashes(lane, url, { isStored: (point) => point === 'settled' || point === 'over', leased: true });
});
