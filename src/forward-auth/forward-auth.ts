import { AppError } from '../shared/errors.ts';
import type { Answer, Mode } from './answer.ts';
import { checkApp } from './check-app.ts';
import { checkToken } from './check-token.ts';
import { isLookalike } from './identity-headers.ts';
import type { OriginalRequest } from './original-request.ts';
import type { AskToken, ForwardAuthParts } from './parts.ts';
import type { Requirement } from './requirement.ts';

/** Decides for proxies which requests may pass, and says to the apps behind them who it is. */
export interface ForwardAuth {
  /**
   * Decides about one request. `ask` says what tokens are worth to whoever runs the proxy, or throws `rate_limited` where
   * too many were worth nothing; `removesHeaders` that the proxy takes every header that could be mistaken for one of ours out by itself, so that a request that has some may pass.
   */
  check(
    request: OriginalRequest,
    wanted: Requirement,
    how: { readonly mode: Mode; readonly ask: AskToken; readonly removesHeaders?: boolean },
  ): Promise<Answer>;
}

const lookalike: Answer = {
  outcome: 'refuse',
  status: 403,
  reason: 'lookalike_header',
  text: 'The request has a header that looks like one of this gate.',
};

/** The answer where too many tokens were refused; a proxy that knows two statuses gets one of them. */
function tooMany(error: unknown, mode: Mode): Answer {
  if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
  const { retryAfter } = error.details;
  const refusal = { reason: 'too_many_refused', text: error.message, ...(retryAfter !== undefined && { retryAfter }) };
  return { outcome: 'refuse', status: mode === 'status' ? 403 : 429, ...refusal };
}

/** Makes the decisions. They keep nothing: every request asks again. */
export const createForwardAuth = (parts: ForwardAuthParts): ForwardAuth => ({
  async check(request, wanted, { mode, ask, removesHeaders = false }) {
    if (!removesHeaders && request.headerNames.some(isLookalike)) return lookalike;
    const { app } = wanted;
    return app === undefined
      ? checkToken(parts, request, wanted, ask).catch((error: unknown) => tooMany(error, mode))
      : checkApp(parts, request, { ...wanted, app }, mode);
  },
});
