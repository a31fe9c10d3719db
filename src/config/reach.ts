import type { Environment } from './schema.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a server that listens on this address is reached from this machine only. */
export const isLoopbackHost = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);

/** Whether a URL points at this machine only. */
export const isLoopbackUrl = (url: string): boolean => loopbackHosts.has(new URL(url).hostname);

export interface Reach extends Pick<Environment, 'SALLYPORT_GRPC_PORT' | 'SALLYPORT_GRPC_HOST'> {
  readonly host: string;
  readonly issuer: string;
}

/** By what others than this machine reach the server: variables with their values. Empty when nobody does. */
export function openings({ host, issuer, ...values }: Reach): string[] {
  const { SALLYPORT_GRPC_PORT: port, SALLYPORT_GRPC_HOST: rpcHost } = values;
  return [
    // A loopback issuer alone keeps nobody out: `Host: localhost` can be sent to any address that listens.
    ...(isLoopbackHost(host) ? [] : [`HOST is ${host}`]),
    ...(port === undefined || isLoopbackHost(rpcHost) ? [] : [`SALLYPORT_GRPC_HOST is ${rpcHost}`]),
    ...(isLoopbackUrl(issuer) ? [] : [`SALLYPORT_ISSUER is ${issuer}`]),
  ];
}
