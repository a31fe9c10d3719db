import * as client from 'openid-client';
import { call, type FlowContext, tokenSetOf } from './call.ts';
import type { Role } from './options.ts';
import type { Call, Run, TokenSet } from './run.ts';
import { codeFor } from './snippets.ts';

/** Which of a run's tokens a call is about. */
export type TokenKind = 'access_token' | 'refresh_token';

const roleOf = (run: Run): Role => (run.kind === 'code' ? 'playground' : run.kind);

const dpopOf = (run: Run): client.DPoPOptions | undefined =>
  run.kind === 'code' && run.dpop ? { DPoP: run.dpop } : undefined;

const words = { access_token: 'access token', refresh_token: 'refresh token' } as const;

function tokenOf(tokens: TokenSet, kind: TokenKind): string {
  const token = kind === 'access_token' ? tokens.accessToken : tokens.refreshToken;
  if (token === undefined) throw new RangeError(`This run has no ${words[kind]}.`);
  return token;
}

function connectionOf(context: FlowContext, role: Role): { issuer: string; clientId: string; clientSecret?: string } {
  const own = context.clients[role];
  if (!own) throw new RangeError(`The playground has no client for ${role}.`);
  return { issuer: context.party.issuer, ...own };
}

/** Asks the UserInfo endpoint who the access token stands for, and checks that it is the person of the ID token. */
export async function askUserinfo(context: FlowContext, run: Run, tokens: TokenSet, subject: string): Promise<Call> {
  const role = roleOf(run);
  const code = codeFor.userinfo(connectionOf(context, role), tokens.accessToken, subject);
  return call('Ask UserInfo', code, async () => {
    await client.fetchUserInfo(await context.party.as(role), tokens.accessToken, subject, dpopOf(run));
    return 'The sub is the one of the ID token. An answer about somebody else would have been refused.';
  });
}

/** Trades the refresh token for new tokens; the run goes on with those. */
export async function refresh(context: FlowContext, run: Run, tokens: TokenSet): Promise<Call> {
  const role = roleOf(run);
  const old = tokenOf(tokens, 'refresh_token');
  return call('Refresh', codeFor.refresh(connectionOf(context, role), old), async () => {
    const answer = await client.refreshTokenGrant(await context.party.as(role), old, undefined, dpopOf(run));
    const fresh = tokenSetOf(answer, context.clock.now());
    run.tokens = {
      ...fresh,
      refreshToken: fresh.refreshToken ?? old,
      ...(fresh.idToken === undefined && tokens.idToken !== undefined && { idToken: tokens.idToken }),
    };
    return fresh.refreshToken === undefined || fresh.refreshToken === old
      ? 'The refresh token stays the same.'
      : 'There is a new refresh token too; the old one is used up. Should it turn up again, the whole family ends.';
  });
}

/** Asks, as a service would, whether a token is good (RFC 7662). */
export async function introspect(context: FlowContext, tokens: TokenSet, kind: TokenKind): Promise<Call> {
  const token = tokenOf(tokens, kind);
  const code = codeFor.introspect(connectionOf(context, 'introspection'), token);
  return call(`Introspect the ${words[kind]}`, code, async () => {
    const answer = await client.tokenIntrospection(await context.party.as('introspection'), token);
    return answer.active
      ? 'Active. A service that asks learns of a revocation at once; one that verifies by JWKS learns of it at exp.'
      : 'Not active: expired, revoked, used up, or none of this service’s business. The answer never says which.';
  });
}

/** Takes a token back (RFC 7009). */
export async function revoke(context: FlowContext, run: Run, tokens: TokenSet, kind: TokenKind): Promise<Call> {
  const role = roleOf(run);
  const token = tokenOf(tokens, kind);
  return call(`Revoke the ${words[kind]}`, codeFor.revoke(connectionOf(context, role), token), async () => {
    await client.tokenRevocation(await context.party.as(role), token);
    return 'Done. Introspect it now: it is not active any more.';
  });
}

/** The address that signs the person out at the issuer and comes back here (RP-initiated logout). */
export async function signOutUrl(context: FlowContext, run: Run, state: string, origin: string): Promise<string> {
  const configuration = await context.party.as('playground');
  const idToken = run.tokens?.idToken;
  return client.buildEndSessionUrl(configuration, {
    post_logout_redirect_uri: `${origin}/`,
    state,
    ...(idToken !== undefined && { id_token_hint: idToken }),
  }).href;
}
