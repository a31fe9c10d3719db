import type { Revocations } from '../revocation/index.ts';
import type { Evidence } from './evidence.ts';
import type { Flow } from './flow.ts';
import type { FlowStore } from './flow-store.ts';

/** Whether the account, or the session that it was read from, was taken back after it was shown. */
function isOver({ accountId, methods, session }: Evidence, revocations: Pick<Revocations, 'isRevokedCached'>): boolean {
  const issuedAt = Math.min(...methods.map(({ at }) => at)) * 1000;
  return revocations.isRevokedCached([
    { kind: 'account', id: accountId, issuedAt },
    ...(session === undefined ? [] : [{ kind: 'session', id: session, issuedAt } as const]),
  ]);
}

/**
 * The same store, whose flows are found without evidence that is over by now. The end of an account forgets the evidence of
 * the flows that it finds; this is about one that was being stored at that moment, and about sessions that end alone.
 */
export function withLiveEvidence(flows: FlowStore, revocations: Pick<Revocations, 'isRevokedCached'>): FlowStore {
  const live = (flow: Flow): Flow => {
    if (!flow.evidence || !isOver(flow.evidence, revocations)) return flow;
    const { evidence: _over, challengeEndsAt: _ended, ...rest } = flow;
    return { ...rest, wrongCodes: 0, unseenCodes: false, offerPasskey: false };
  };
  return {
    ...flows,
    async find(id) {
      const flow = await flows.find(id);
      return flow && live(flow);
    },
    open: async (flow) => live(await flows.open(flow)),
  };
}
