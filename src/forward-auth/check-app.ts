import type { Client } from '../clients/index.ts';
import { accessId } from '../revocation/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import type { Answer, Mode } from './answer.ts';
import type { AppSession, Place } from './app-cookies.ts';
import { identityHeaders } from './identity-headers.ts';
import { isFreshEnough } from './judge-token.ts';
import { isNavigation, type OriginalRequest, rawPath } from './original-request.ts';
import type { ForwardAuthParts } from './parts.ts';
import { personOf } from './person.ts';
import { gatePaths, originOn } from './protected-app.ts';
import type { Requirement } from './requirement.ts';
import { beginSignIn, finishSignIn, signInPage, signOut } from './sign-in.ts';

/** Whether what the cookie says still holds: nothing that it stands on has ended, as the database has it now. */
async function isLive(parts: ForwardAuthParts, { clientId }: Place, session: AppSession, request: OriginalRequest) {
  const { revocations, sessions, clock } = parts;
  const { accountId, sessionUid, grantId, until } = session;
  if (until <= epochSeconds(clock)) return false;
  const [authTime, issuedAt] = [session.authTime * 1000, session.issuedAt * 1000];
  const ended = await revocations.isRevoked([
    { kind: 'session', id: sessionUid, issuedAt: authTime },
    { kind: 'account', id: accountId, issuedAt: authTime },
    { kind: 'grant', id: grantId },
    { kind: 'access', id: accessId(accountId, clientId), issuedAt },
    { kind: 'client', id: clientId, issuedAt },
  ]);
  if (ended) return false;
  const meta = { requestId: request.requestId, ...(request.ip !== undefined && { ip: request.ip }) };
  return (await sessions.touch(sessionUid, authTime, meta)) !== 'over';
}

/** Who is there, or why nobody is. */
async function visitorOf(parts: ForwardAuthParts, place: Place, request: OriginalRequest) {
  const session = parts.cookies.session(request, place);
  if (!session) return 'signed_out';
  if (!(await isLive(parts, place, session, request))) return 'session_over';
  const account = await parts.accounts.find(session.accountId);
  return account?.status === 'active' ? { session, account } : 'account_gone';
}

const elsewhere: Answer = {
  outcome: 'refuse',
  status: 403,
  reason: 'unknown_app_or_host',
  text: 'No app is registered at this address.',
};

async function placeOf({ clients }: ForwardAuthParts, id: string, host: string): Promise<[Client, Place] | undefined> {
  const client = await clients.find(id);
  if (!client || client.disabled || !client.metadata.response_types.includes('code')) return undefined;
  const origin = originOn(client, host);
  return origin === undefined ? undefined : [client, { clientId: client.id, origin }];
}

async function atTheGate(parts: ForwardAuthParts, client: Client, place: Place, request: OriginalRequest) {
  switch (rawPath(request.uri)) {
    case gatePaths.callback:
      return finishSignIn(parts, place, request);
    case gatePaths.signIn:
      return signInPage(parts, client, place, request);
    case gatePaths.signOut:
      return signOut(parts, place);
    default:
      return undefined;
  }
}

/** Decides by the session that a browser has with an app, and signs it in where there is none. */
export async function checkApp(
  parts: ForwardAuthParts,
  request: OriginalRequest,
  wanted: Requirement & { readonly app: string },
  mode: Mode,
): Promise<Answer> {
  const found = await placeOf(parts, wanted.app, request.host);
  if (!found) return elsewhere;
  const [client, place] = found;
  const answered = mode === 'status' ? undefined : await atTheGate(parts, client, place, request);
  if (answered) return answered;

  const visitor = mode === 'browser' ? 'signed_out' : await visitorOf(parts, place, request);
  if (typeof visitor === 'object') {
    const { session, account } = visitor;
    const { scopes, acr } = session;
    if (isFreshEnough(session, wanted, epochSeconds(parts.clock))) {
      const identity = { user: account.id, ...personOf(account, scopes), client: client.id, scopes, acr };
      const headers = identityHeaders({ ...identity, requestId: request.requestId });
      return { outcome: 'allow', headers, client: client.id };
    }
  }
  if (mode !== 'status' && isNavigation(request)) return beginSignIn(parts, client, place, request, wanted);
  return {
    outcome: 'refuse',
    status: 401,
    reason: typeof visitor === 'string' ? visitor : 'insufficient_authentication',
    text: `Sign in first: open ${place.origin}/ in a browser.`,
    client: client.id,
    // nginx adds the one that it was given for `status`.
    ...(mode !== 'browser' && { challenge: `Session sign_in="${place.origin}${gatePaths.signIn}"` }),
  };
}
