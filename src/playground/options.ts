import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';

/** A client that the playground may act as. Without a secret it is public. */
export interface PlaygroundClient {
  readonly clientId: string;
  readonly clientSecret?: string;
}

/** What the playground can be, by what each client is for. A role that has no client has no page. */
export interface PlaygroundClients {
  /** Public, code flow with PKCE: redirect `<origin>/callback`, after signing out `<origin>/`. */
  readonly playground: PlaygroundClient;
  /** Device flow (RFC 8628). */
  readonly device?: PlaygroundClient;
  /** Client credentials, for calls without a person. */
  readonly machine?: PlaygroundClient;
  /** A service that may introspect. Introspection needs a client that can prove itself (RFC 7662 §2.1). */
  readonly introspection?: PlaygroundClient;
}

export type Role = keyof PlaygroundClients;

/** An API that people can ask tokens for here (RFC 8707). */
export interface PlaygroundApi {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

export interface PlaygroundOptions {
  readonly issuer: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on; the playground refuses anything but loopback. */
  readonly host: string;
  readonly viewsDir: string;
  readonly logger: Logger;
  readonly clients: PlaygroundClients;
  readonly apis?: readonly PlaygroundApi[];
  readonly clock?: Clock;
  /** How long a page waits for an issuer that is still starting. Default 5. */
  readonly patienceSeconds?: number;
}
