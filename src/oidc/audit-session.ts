import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { currentAuditContext, noteAuditSession } from '../audit/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { SessionPort } from './session-port.ts';

interface Code {
  /** Handle of the session that it was issued in. */
  session?: string | undefined;
}

interface CodeModel {
  readonly IN_PAYLOAD: readonly string[];
  readonly prototype: Code & { save(this: Code, ttl?: number): Promise<string> };
  find(value: string, ...rest: unknown[]): Promise<Code | undefined>;
}

/**
 * Lets codes carry the handle of the session that they are issued in. A request that presents one, also one that was used
 * before, is done in that session; nobody has to look it up.
 */
export function keepSessionInCodes(provider: Provider): void {
  const model = provider.AuthorizationCode as unknown as CodeModel;
  const { save } = model.prototype;
  const { find } = model;
  const fields = [...model.IN_PAYLOAD, 'session'];
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => fields });
  model.prototype.save = function saveWithSession(ttl) {
    this.session ??= currentAuditContext()?.sessionId;
    return save.call(this, ttl);
  };
  model.find = async function findWithSession(value, ...rest) {
    const code = await find.call(this, value, ...rest);
    noteAuditSession(code?.session);
    return code;
  };
}

/** Notes the session of the token that a request is about; of one about none, that of its browser. */
export async function noteSessionBehind({ oidc }: KoaContextWithOIDC, sessions: SessionPort): Promise<void> {
  const { RefreshToken, AccessToken, AuthorizationCode } = oidc.entities;
  // A code has said so by itself.
  if (AuthorizationCode) return;
  const token = RefreshToken ?? AccessToken;
  if (token?.sid?.startsWith('ses_')) return noteAuditSession(token.sid);
  const { accountId, grantId } = token ?? {};
  if (accountId !== undefined && grantId !== undefined) {
    return noteAuditSession(await sessions.handleOf({ accountId: asAccountId(accountId), grantId }));
  }
  if (oidc.session) noteAuditSession(await sessions.handleOf({ uid: oidc.session.uid }));
}
