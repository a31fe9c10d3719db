import type { RequestListener } from 'node:http';
import { createForwardAuthSurface } from './forward-auth.ts';
import { createRpc, type StartRpc } from './rpc.ts';

/** The other doors to the same decisions: endpoints for proxies, and gRPC. */
export interface Gates {
  /** Puts the endpoints for proxies in front of the rest of the public server. */
  before(ordinary: RequestListener): RequestListener;
  readonly startRpc: StartRpc;
}

export function createGates(needs: Parameters<typeof createForwardAuthSurface>[0]): Gates {
  const surface = createForwardAuthSurface(needs);
  return {
    before: (ordinary) => surface.before(ordinary),
    startRpc: createRpc({ ...needs, ...surface }),
  };
}
