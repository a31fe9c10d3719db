import { setTimeout as wait } from 'node:timers/promises';
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import * as client from 'openid-client';
import { recordingFetch } from './exchange.ts';
import { isUnreachable } from './explain-problem.ts';
import type { PlaygroundClient, PlaygroundClients, Role } from './options.ts';

/** The playground's view of the issuer: its metadata, its keys, and a configured client for each role. */
export interface RelyingParty {
  readonly issuer: string;
  /** @throws TypeError when the issuer does not answer within the patience given. */
  metadata(): Promise<client.ServerMetadata>;
  /** @throws RangeError for a role that has no client. */
  as(role: Role): Promise<client.Configuration>;
  /** The issuer's public keys, fetched when a token names one that is not known yet. */
  keys(): Promise<JWTVerifyGetKey>;
}

/** The network is at fault, or the server is still starting; neither says that trying again is useless. */
function isTemporary(error: unknown): boolean {
  if (isUnreachable(error)) return true;
  const response = error instanceof Error && error.cause instanceof Response ? error.cause : undefined;
  return response !== undefined && response.status >= 500;
}

async function patiently<T>(seconds: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (let pause = 50; ; pause = Math.min(pause * 2, 800)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTemporary(error) || performance.now() + pause > deadline) throw error;
      await wait(pause);
    }
  }
}

const authenticationOf = ({ clientSecret }: PlaygroundClient): client.ClientAuth =>
  clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret);

/**
 * Learns the issuer's metadata on first use and keeps it. Server and playground start together, so a first use
 * waits for the issuer for up to `patienceSeconds`, and a failure is never kept.
 */
export function createRelyingParty(options: {
  readonly issuer: string;
  readonly clients: PlaygroundClients;
  readonly patienceSeconds: number;
}): RelyingParty {
  const { issuer, clients, patienceSeconds } = options;
  const insecure = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  let discovered: Promise<client.ServerMetadata> | undefined;
  let keys: JWTVerifyGetKey | undefined;

  const discover = async (): Promise<client.ServerMetadata> => {
    const { clientId } = clients.playground;
    const found = await patiently(patienceSeconds, () =>
      client.discovery(new URL(issuer), clientId, undefined, client.None(), { execute: insecure, timeout: 5 }),
    );
    return found.serverMetadata();
  };

  const metadata = (): Promise<client.ServerMetadata> => {
    discovered ??= discover().catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  };

  return {
    issuer,
    metadata,
    async as(role) {
      const own = clients[role];
      if (!own) throw new RangeError(`The playground has no client for ${role}.`);
      const configuration = new client.Configuration(await metadata(), own.clientId, undefined, authenticationOf(own));
      configuration[client.customFetch] = recordingFetch;
      configuration.timeout = 10;
      for (const apply of insecure) apply(configuration);
      return configuration;
    },
    async keys() {
      const { jwks_uri } = await metadata();
      if (!jwks_uri) throw new RangeError('The issuer publishes no jwks_uri.');
      keys ??= createRemoteJWKSet(new URL(jwks_uri), { cooldownDuration: 1000 });
      return keys;
    },
  };
}
