import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

type Watching = ServerWritableStream<HealthRequest, HealthResponse>;

/** `grpc.health.v1.Health`, for load balancers and without credentials. It turns when the node is about to go. */
export function createHealth(services: readonly string[]) {
  const known = new Set(['', ...services]);
  const watchers = new Set<Watching>();
  let serving = true;
  const of = (service: string): HealthResponse => {
    if (!known.has(service)) return { status: 'SERVICE_UNKNOWN' };
    return { status: serving ? 'SERVING' : 'NOT_SERVING' };
  };

  const implementation: UntypedServiceImplementation = {
    check(call: ServerUnaryCall<HealthRequest, HealthResponse>, callback: sendUnaryData<HealthResponse>) {
      const { service } = call.request;
      if (known.has(service)) callback(null, of(service));
      else callback({ code: status.NOT_FOUND, details: 'There is no such service.' });
    },
    watch(call: Watching): void {
      call.write(of(call.request.service));
      if (!serving) {
        call.end();
        return;
      }
      watchers.add(call);
      for (const event of ['cancelled', 'close'] as const) call.on(event, () => watchers.delete(call));
    },
  };

  return {
    implementation,
    /** Tells everybody that watches, and ends their streams, which would keep the server open. */
    stop(): void {
      serving = false;
      for (const call of watchers) {
        call.write(of(call.request.service));
        call.end();
      }
      watchers.clear();
    },
  };
}
