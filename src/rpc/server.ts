import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import type { ForwardAuth, RefusalLimit, TokenFacts } from '../forward-auth/index.ts';
import { type Clock, epochSeconds } from '../shared/clock.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { createFrame } from './call-frame.ts';
import { createGate } from './call-gate.ts';
import { channelOptions, lastPatience } from './call-limits.ts';
import { createRecords } from './call-record.ts';
import { createAuthenticate } from './caller.ts';
import { type ConnectionLimits, listenForConnections } from './connections.ts';
import { createExtAuthz } from './ext-authz.ts';
import { createHealth } from './health.ts';
import { loadProtos } from './protos.ts';
import { createReflection } from './reflection.ts';
import { createTokenService } from './token-service.ts';

export interface RpcOptions {
  readonly port: number;
  readonly host: string;
  /** Files, PEM. Without them it is plain text. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string | undefined } | undefined;
  readonly reflection: boolean;
  readonly issuer: string;
  readonly clients: {
    find(id: string): Promise<Client | undefined>;
    verifySecret(id: string, secret: string): Promise<boolean>;
  };
  readonly forwardAuth: ForwardAuth;
  /** Bounds refusals: of credentials of callers by peer, of tokens by caller, of tokens at proxies by caller and address. */
  readonly refusals: {
    readonly ofCallers: RefusalLimit;
    readonly ofTokens: RefusalLimit;
    readonly atProxies: RefusalLimit;
  };
  /** Introspection with the rights of a client, and with those of the server. */
  readonly questions: {
    ask(asker: Client, token: string): Promise<TokenFacts>;
    askAsServer(token: string): Promise<TokenFacts>;
  };
  readonly connections: ConnectionLimits;
  readonly prepare: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: Logger;
  readonly observe: (call: { readonly method: string; readonly code: string; readonly seconds: number }) => void;
}

/** A gRPC server that listens. */
export interface RpcServer {
  readonly port: number;
  /** Fails health checks, lets calls under way finish, hurries those that are half sent, and closes. Seconds. */
  drain(options: { readonly noticeSeconds: number; readonly graceSeconds: number }): Promise<void>;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new AppError('unavailable', `The gRPC server cannot read ${file}: ${reasonOf(error)}`);
  }
}

function credentialsOf({ tls }: RpcOptions): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { cert_chain: read(tls.cert), private_key: read(tls.key) };
  const ca = tls.clientCa === undefined ? null : read(tls.clientCa);
  return ServerCredentials.createSsl(ca, [pair], ca !== null);
}

const tokenService = 'sallyport.v1.TokenService';
const extAuthz = 'envoy.service.auth.v3.Authorization';

/**
 * Starts it. @throws AppError `unavailable` when a file of its TLS cannot be read, and the system's error when the port is
 * taken.
 */
export async function startRpc(options: RpcOptions): Promise<RpcServer> {
  const { issuer, clients, questions, forwardAuth, refusals, clock } = options;
  const protos = loadProtos();
  const now = () => epochSeconds(clock);
  const { ask, askAsServer } = questions;
  const { ofCallers, ofTokens, atProxies } = refusals;
  const audience = `${issuer}/rpc`;
  const authenticate = createAuthenticate({ clients, askAsServer, refusals: ofCallers, audience, now });
  const { logger, prepare } = options;
  const gate = createGate({ authenticate, prepare, logger, begin: createRecords(options) });
  const frame = createFrame({ recordOf: gate.recordOf, logger });
  const health = createHealth([tokenService, extAuthz]);
  const server = new Server({ ...channelOptions, interceptors: [gate.interceptor] });
  server.addService(protos.service(tokenService), createTokenService({ frame, ask, refusals: ofTokens, now }));
  server.addService(protos.service(extAuthz), createExtAuthz({ frame, forwardAuth, ask, refusals: atProxies }));
  server.addService(protos.service('grpc.health.v1.Health'), health.implementation);
  if (options.reflection) {
    const services = [tokenService, extAuthz, 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'];
    server.addService(protos.service('grpc.reflection.v1.ServerReflection'), createReflection(protos, services));
  }
  // The library listens without a limit of connections, so it is given those that we take.
  const injector = server.createConnectionInjector(credentialsOf(options));
  const connections = await listenForConnections({
    ...options.connections,
    ...{ port: options.port, host: options.host, logger },
    accept: (socket) => injector.injectConnection(socket),
  });
  return {
    port: connections.port,
    async drain({ noticeSeconds, graceSeconds }) {
      health.stop();
      if (noticeSeconds > 0) await pause(noticeSeconds * 1000);
      // The library does not know when connections that it was given are closed.
      const closed = connections.stop();
      server.tryShutdown(() => undefined);
      // A client that keeps its half of a call open, or takes no answer, does not keep the server.
      const answered = gate.drain().then(() => pause(lastPatience));
      await Promise.race([closed, answered, pause(graceSeconds * 1000, undefined, { ref: false })]);
      server.forceShutdown();
      connections.cut();
    },
  };
}
