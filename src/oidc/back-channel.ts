import { importJWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import { sidOf } from '../back-channel/index.ts';
import type { KeySet } from '../keys/index.ts';
import { type Clock, epochSeconds } from '../shared/clock.ts';

/** What a logout token is about; the rest of it is the same for all. */
interface LogoutSubject {
  readonly jti: string;
  readonly aud: string;
  readonly sub: string;
  readonly sid: string;
}

/** Seconds that a logout token is good for: the most that the standard recommends (§2.4). */
const logoutTokenSeconds = 120;

/**
 * Signs logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4) as ID tokens of the same app are signed. `typ` keeps
 * them from being taken for ID tokens, and there is never a `nonce`.
 */
export const createLogoutSigner =
  ({ issuer, keys, clock }: { issuer: string; keys: { current(): KeySet }; clock: Clock }) =>
  async ({ jti, aud, sub, sid }: LogoutSubject, alg: string): Promise<string> => {
    const jwk = keys.current().signing.find((key) => key.alg === alg);
    if (!jwk) throw new Error(`There is no ${alg} key to sign with.`);
    const now = epochSeconds(clock);
    return new SignJWT({ sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
      .setProtectedHeader({ alg, typ: 'logout+jwt', kid: jwk.kid ?? '' })
      .setIssuer(issuer)
      .setAudience(aud)
      .setSubject(sub)
      .setJti(jti)
      .setIssuedAt(now)
      .setExpirationTime(now + logoutTokenSeconds)
      .sign(await importJWK(jwk, alg));
  };

interface SessionModel {
  readonly uid: string;
  sidFor(clientId: string, value?: string): string | undefined;
  ensureClientContainer(this: SessionModel, clientId: string): void;
}

interface ClientModel {
  readonly clientId: string;
  readonly backchannelLogoutUri?: string;
  includeSid(this: ClientModel): boolean;
  backchannelLogout(this: ClientModel): Promise<void>;
}

/** Queues the logout of one app whose person stays signed in here; `uid` is of their protocol session. */
export interface LeavingPort {
  readonly leaveApp: (uid: string, clientId: string) => Promise<void>;
}

/**
 * Leaves telling apps to our own back-channel, which hears of every end of a session and not of sign-outs alone. ID tokens
 * of apps with a logout address always carry the `sid` that their logout tokens will have.
 */
export function leaveLogoutToBackChannel(provider: Provider, { leaveApp }: LeavingPort): void {
  const session = provider.Session.prototype as unknown as SessionModel;
  session.ensureClientContainer = function ensureClientContainer(clientId) {
    this.sidFor(clientId, sidOf(this.uid, clientId));
  };
  const client = provider.Client.prototype as unknown as ClientModel;
  client.includeSid = function includeSid() {
    return this.backchannelLogoutUri !== undefined;
  };
  // The library would tell them while the person waits, and once. What is left to tell is who left an app and nothing else.
  client.backchannelLogout = async function backchannelLogout() {
    const oidc = Provider.ctx?.oidc;
    if (oidc?.session && !oidc.params?.logout) await leaveApp(oidc.session.uid, this.clientId);
  };
}
