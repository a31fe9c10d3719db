import type { TokenFacts } from './judge-token.ts';

/** Who shows a credential. */
export interface Shown {
  /** The surface or client that passes it on. Whoever has the same name shares what was good. */
  readonly by: string;
  /** Where it comes from, when that is counted apart. */
  readonly address?: string | undefined;
  readonly credential: string;
}

/**
 * Bounds how many credentials one asker may have refused, so that nobody can guess or flood. What is good is never
 * counted, and goes on to be asked about while its asker has used the limit up, as long as it was good lately.
 */
export interface RefusalLimit {
  /** @throws AppError `rate_limited` with `retryAfter`, and nothing was asked. */
  ask<T>(shown: Shown, ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T>;
}

/** For questions about tokens. */
export const isActive = (facts: TokenFacts): boolean => facts.active === true;
