/** What a proxy is to do with the request that waits. */
export type Answer =
  | {
      readonly outcome: 'allow';
      /** Every identity header; they replace what the client sent. */
      readonly headers: Readonly<Record<string, string>>;
      readonly client: string;
    }
  | {
      readonly outcome: 'refuse';
      readonly status: 401 | 403 | 429;
      /** For the log. */
      readonly reason: string;
      /** For whoever asked. */
      readonly text: string;
      readonly challenge?: string;
      /** Seconds. */
      readonly retryAfter?: number;
      readonly cookies?: readonly string[];
      readonly client?: string;
    }
  | {
      readonly outcome: 'redirect';
      readonly location: string;
      readonly cookies: readonly string[];
      readonly client: string;
    };

/**
 * How a proxy takes answers: `any` sends a redirect to the browser (Traefik, Caddy, Envoy); `status` knows allow, 401 and
 * 403 only, and `browser` is where it then sends the browser itself (nginx).
 */
export type Mode = 'any' | 'status' | 'browser';
