import type { ArtifactStores } from '../oidc/index.ts';
import type { ReadinessCheck } from '../web/management.ts';
export function createArtifacts(
  _: unknown,
): { stores: ArtifactStores; redis: undefined; checks: ReadinessCheck[] } & AsyncDisposable {
  const all = new Map<string, any>();
  const stores = (model: string): any => ({
    upsert: async (id: string, p: any) => void all.set(`${model}:${id}`, structuredClone(p)),
    find: async (id: string) => all.get(`${model}:${id}`),
    findByUid: async (uid: string) => [...all].find(([k, v]) => k.startsWith(`${model}:`) && v.uid === uid)?.[1],
    findByUserCode: async (c: string) => [...all].find(([k, v]) => k.startsWith(`${model}:`) && v.userCode === c)?.[1],
    consume: async (id: string) => void (all.get(`${model}:${id}`).consumed = 1),
    destroy: async (id: string) => void all.delete(`${model}:${id}`),
    revokeByGrantId: async (g: string) => {
      for (const [k, v] of all) if (v.grantId === g) all.delete(k);
    },
  });
  return { stores, redis: undefined, checks: [], async [Symbol.asyncDispose]() {} };
}
