/** Of the library, for every connection. Bytes and milliseconds. */
export const channelOptions = {
  // Also what a compressed request may become.
  'grpc.max_receive_message_length': 1024 * 1024,
  'grpc.max_send_message_length': 4 * 1024 * 1024,
  'grpc.max_concurrent_streams': 100,
  'grpc.max_connection_idle_ms': 300_000,
  // A tenth more or less, so that they do not all come back at once.
  'grpc.max_connection_age_ms': 1_800_000,
  'grpc.max_connection_age_grace_ms': 30_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** Milliseconds from a call's metadata to its answer. */
export const patience = 10_000;
/** Milliseconds from a call's metadata until the last byte of its request is here. */
export const requestPatience = 5_000;
/** The same for methods that take a stream of requests, and have no whole one until their client is done. */
export const streamPatience = 60_000;
/** Milliseconds that are left to unfinished requests, and to answers that nobody takes, when the server stops. */
export const lastPatience = 1_000;

/** What a method takes. */
export interface MethodRule {
  /** Whether anybody may call it. */
  readonly open: boolean;
  /** Bytes of a whole request on the wire, frames included. */
  readonly most: number;
}

const kib = 1024;
const large: Readonly<Record<string, number>> = {
  // A token is 8 KiB at most, and a batch has a hundred.
  'sallyport.v1.TokenService/Batch': kib * kib,
  // All headers of a request: 60 KiB as Envoy comes, each with a name and a frame of its own.
  'envoy.service.auth.v3.Authorization/Check': 256 * kib,
};

/** The rule for `package.Service/Method`. What has none of its own is for clients and small. */
export function ruleOf(method: string): MethodRule {
  if (method.startsWith('grpc.health.')) return { open: true, most: kib };
  if (method.startsWith('grpc.reflection.')) return { open: true, most: 64 * kib };
  return { open: false, most: large[method] ?? 64 * kib };
}
