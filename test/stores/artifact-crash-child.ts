// Redeems a code and a refresh token, each in one request, and dies by SIGKILL when both have come to a given point.
import type { ArtifactStore, ArtifactStores } from '../../src/oidc/artifact-store.ts';
import { createRedisArtifactStores } from '../../src/oidc/artifact-store-redis.ts';
import { createSqlArtifactStores } from '../../src/oidc/artifact-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { openPostgres } from '../../src/storage/database.ts';
import { currentUnitOfWork, newUnitOfWork, unitOfWork } from '../../src/storage/unit-of-work.ts';
import { openPatiently } from '../support/redis.ts';
import { issue, secrets } from './artifact-lane.ts';

/** Where the child can die. */
export type CrashPoint = 'consumed' | 'refresh stored' | 'all stored' | 'settled' | 'over';
export const crashPoints: readonly CrashPoint[] = ['consumed', 'refresh stored', 'all stored', 'settled', 'over'];

export interface CrashOrder {
  readonly url: string;
  readonly point: CrashPoint;
  readonly now: number;
  readonly tokens: readonly {
    readonly kind: 'AuthorizationCode' | 'RefreshToken';
    readonly id: string;
    readonly grantId: string;
  }[];
}

type RunUnit = (work: () => Promise<void>) => Promise<unknown>;

async function open({ url, now }: CrashOrder): Promise<{ stores: ArtifactStores; run: RunUnit }> {
  const clock = new FixedClock(new Date(now));
  const policy = { refreshRetrySeconds: 10, isStrict: async () => false };
  if (url.startsWith('postgres')) {
    const database = openPostgres(url, { poolSize: 4 });
    const stores = createSqlArtifactStores({ database, secrets, clock, policy });
    return { stores, run: (work) => database.unitOfWork(now, work) };
  }
  const redis = await openPatiently(url);
  const replay = undefined as never;
  return {
    stores: createRedisArtifactStores({ redis, replay, uses: { mark: async () => true }, secrets, clock, policy }),
    async run(work) {
      const unit = newUnitOfWork(now);
      await unitOfWork.run(unit, async () => {
        await work();
        for (const step of unit.beforeCommit) await step();
      });
    },
  };
}

async function main(order: CrashOrder): Promise<void> {
  const { stores, run } = await open(order);
  let reached = 0;
  const pass = async (point: CrashPoint): Promise<void> => {
    if (point !== order.point) return;
    reached += 1;
    if (reached === order.tokens.length) process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  };
  const writeSlowly = (model: string): ArtifactStore => ({
    ...stores(model),
    async upsert(...write) {
      await stores(model).upsert(...write);
      if (model === 'RefreshToken') await pass('refresh stored');
    },
  });
  const slowly: ArtifactStores = Object.assign(writeSlowly, { redemptions: stores.redemptions });
  const redeem = ({ kind, id, grantId }: CrashOrder['tokens'][number]) =>
    run(async () => {
      await stores(kind).consume(id);
      await pass('consumed');
      const issued = await issue(slowly, { grantId, clientId: 'app_1' });
      process.send?.(issued);
      await pass('all stored');
      currentUnitOfWork()?.beforeCommit.push(() => pass('settled'));
    });
  await Promise.all(order.tokens.map((token) => redeem(token).then(() => pass('over'))));
}

if (process.send) process.once('message', (order) => void main(order as CrashOrder));
