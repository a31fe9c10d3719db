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
   * Decides about one request. `ask` says what tokens are worth to whoever runs the proxy; `removesHeaders` that the proxy
   * takes every header that could be mistaken for one of ours out by itself, so that a request that has some may pass.
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

/** Makes the decisions. They keep nothing: every request asks again. */
export const createForwardAuth = (parts: ForwardAuthParts): ForwardAuth => ({
  async check(request, wanted, { mode, ask, removesHeaders = false }) {
    if (!removesHeaders && request.headerNames.some(isLookalike)) return lookalike;
    const { app } = wanted;
    return app === undefined
      ? checkToken(parts, request, wanted, ask)
      : checkApp(parts, request, { ...wanted, app }, mode);
  },
});
