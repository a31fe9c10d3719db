import { isLoopbackHost } from './reach.ts';
import type { Environment } from './schema.ts';

/** What is wrong with the variables of the gRPC server, one line per problem. */
export function rpcProblems(values: Environment): string[] {
  const { SALLYPORT_GRPC_PORT: port, SALLYPORT_GRPC_TLS_CERT: cert, SALLYPORT_GRPC_TLS_KEY: key } = values;
  const problems: string[] = [];
  if ((cert === undefined) !== (key === undefined)) {
    problems.push('SALLYPORT_GRPC_TLS_CERT and SALLYPORT_GRPC_TLS_KEY go together. Give both, or none.');
  }
  if (values.SALLYPORT_GRPC_TLS_CLIENT_CA !== undefined && cert === undefined) {
    problems.push('SALLYPORT_GRPC_TLS_CLIENT_CA needs SALLYPORT_GRPC_TLS_CERT and SALLYPORT_GRPC_TLS_KEY.');
  }
  const open = port !== undefined && cert === undefined && !isLoopbackHost(values.SALLYPORT_GRPC_HOST);
  if (open && values.NODE_ENV === 'production' && !values.SALLYPORT_GRPC_PLAINTEXT) {
    problems.push(
      'The gRPC server would send secrets in plain text. Give SALLYPORT_GRPC_TLS_CERT and SALLYPORT_GRPC_TLS_KEY, or set SALLYPORT_GRPC_PLAINTEXT=true when the network encrypts by itself.',
    );
  }
  return problems;
}
