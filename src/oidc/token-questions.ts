import type { Client } from '../clients/index.ts';
import { consoleClient } from './console-client.ts';

/** A response of RFC 7662 §2.2. */
export type Introspection = Readonly<Record<string, unknown>> & { readonly active?: unknown };

/** Introspection without a request at the introspection endpoint, with the same answers. */
export interface TokenQuestions {
  /**
   * What `asker`, which has proven itself, may know of a token. Whatever is no live token of ours, or none of its business,
   * is `{ active: false }`.
   */
  ask(asker: Client, token: string): Promise<Introspection>;
  /** The same for this server itself, which may know of every token: whoever calls decides who hears of it. */
  askAsServer(token: string): Promise<Introspection>;
}

/** Builds the port on the endpoint's own way to an answer. */
export function createTokenQuestions(issuer: string, ask: TokenQuestions['ask']): TokenQuestions {
  const server: Client = { ...consoleClient(issuer), mayIntrospect: true };
  return { ask, askAsServer: (token) => ask(server, token) };
}
