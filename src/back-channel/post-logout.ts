import type { GuardedPost } from '../outgoing/index.ts';
import type { Answer } from './delivery.ts';

/** Posts a logout token once (OpenID Connect Back-Channel Logout 1.0 §2.5). It never throws. */
export type LogoutPost = (url: string, logoutToken: string, signal: AbortSignal) => Promise<Answer>;

const headers = { 'content-type': 'application/x-www-form-urlencoded' };

/** Makes the way by which logout tokens leave. An address that will not do is not tried again. */
export const createLogoutPost =
  (post: GuardedPost): LogoutPost =>
  async (url, logoutToken, signal) => {
    const body = new URLSearchParams({ logout_token: logoutToken }).toString();
    const result = await post(url, headers, body, signal);
    return 'status' in result ? result : { error: result.error, final: result.refused };
  };
