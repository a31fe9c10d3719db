import type { Provider } from 'oidc-provider';
import type { Logger } from '../shared/logger.ts';
import { atTheEnd } from '../storage/unit-of-work.ts';
import type { SessionPort } from './session-port.ts';

/**
 * Ends the session of a direct sign-in when its app ends the tokens, or when a refresh token of it was used twice: then
 * there is nothing left of it. Its tokens name the session in `sid`.
 */
export function endSessionsWithTokens(provider: Provider, sessions: SessionPort, logger: Logger): void {
  provider.on('grant.revoked', (ctx) => {
    const { client, entities } = ctx.oidc;
    const token = entities.RefreshToken ?? entities.AccessToken ?? entities.AuthorizationCode;
    const sid = token?.sid;
    if (!client || !sid?.startsWith('ses_')) return;
    const by = { kind: 'client', id: client.clientId } as const;
    atTheEnd(
      () => sessions.end(sid, by, 'signed-out'),
      (error) => logger.error({ err: error }, 'a session could not be ended with its tokens'),
    );
  });
}
