/** A client with a secret of letters, digits and dashes. */
export interface BenchClient {
  readonly id: string;
  readonly secret: string;
}

/** What the load generator has to know about a server; every server of a run offers the same. */
export interface Target {
  readonly origin: string;
  readonly paths: { readonly authorize: string; readonly token: string; readonly introspect: string };
  /** Client credentials: opaque without a resource, an ES256 JWT with it. */
  readonly machine: BenchClient;
  readonly resource: string;
  readonly scope: string;
  /** May introspect everything. */
  readonly service: BenchClient;
  /** Confidential, code flow, refresh tokens, no consent. */
  readonly web: BenchClient & { readonly redirectUri: string };
  readonly people: readonly BenchPerson[];
}

export interface BenchPerson {
  readonly login: string;
  readonly password: string;
  /** Where they come from, as the proxy in front of the server says it: many accounts at one address are a sign of risk. */
  readonly address: string;
  /** `name=value` of the cookie by which the server knows the browser that this person uses, if it keeps such. */
  readonly browser?: string;
}

/** An address that nobody else has. */
export const addressOf = (person: number): string => `10.0.${person >> 8}.${person & 255}`;

/** The hash that both servers use: OWASP's argon2id parameters. */
export const argon2Cost = { memoryKiB: 19_456, passes: 2 } as const;

/** What a server under test has used so far. */
export interface Usage {
  /** User and system time of the process and its threads, microseconds. */
  readonly cpuMicros: number;
  /** Resident set, bytes. */
  readonly rss: number;
}

export const usage = (): Usage => {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rss: process.memoryUsage.rss() };
};
