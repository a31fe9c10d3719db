import type Router from '@koa/router';
import { AppError } from '../shared/errors.ts';
import { randomSecret } from '../shared/ids.ts';
import { formOf, type PageContext, runOf, seeOther, show, visitFor } from './page-context.ts';
import type { TokensPage } from './page-models.ts';
import { type ReadToken, readToken } from './read-token.ts';
import type { Call, Run, TokenSet } from './run.ts';
import { codeFor } from './snippets.ts';
import { askUserinfo, introspect, refresh, revoke, signOutUrl, type TokenKind } from './token-calls.ts';

const keptCalls = 20;

const claimOf = (token: ReadToken | undefined, name: string): unknown => {
  const claim = token?.format === 'jwt' ? token.claims.find((one) => one.name === name) : undefined;
  return claim === undefined ? undefined : JSON.parse(claim.value);
};

/** JWT access tokens name one API as audience; ours can be verified without asking us (RFC 9068). */
function verifyCodeFor(token: ReadToken, issuer: string, jwksUri: string | undefined): string | undefined {
  const audience = claimOf(token, 'aud');
  if (token.format !== 'jwt' || typeof audience !== 'string' || !jwksUri) return undefined;
  return codeFor.verify(issuer, jwksUri, audience, token.raw);
}

async function tokensModel(context: PageContext, run: Run, tokens: TokenSet): Promise<TokensPage> {
  const { party, clients, clock } = context;
  const [metadata, keys] = [await party.metadata(), await party.keys()];
  const now = new Date(clock.now());
  const common = { issuer: party.issuer, now };
  const clientId = clients[run.kind === 'code' ? 'playground' : run.kind]?.clientId;
  const accessToken = await readToken(tokens.accessToken, keys, { ...common, typ: 'at+jwt' });
  const idToken =
    tokens.idToken === undefined
      ? undefined
      : await readToken(tokens.idToken, keys, { ...common, ...(clientId !== undefined && { audience: clientId }) });
  return {
    run,
    now,
    accessToken,
    idToken,
    verifyCode: verifyCodeFor(accessToken, party.issuer, metadata.jwks_uri),
    can: {
      // A token for an API is not meant for UserInfo (RFC 8707 §2).
      userinfo: idToken !== undefined && accessToken.format === 'opaque' && metadata.userinfo_endpoint !== undefined,
      refresh: tokens.refreshToken !== undefined,
      introspect: clients.introspection !== undefined && metadata.introspection_endpoint !== undefined,
      revoke: metadata.revocation_endpoint !== undefined,
      signOut: run.kind === 'code' && metadata.end_session_endpoint !== undefined,
    },
  };
}

async function act(context: PageContext, run: Run, tokens: TokenSet, form: ReadonlyMap<string, string>): Promise<Call> {
  const kind: TokenKind =
    form.get('token') === 'refresh_token' && tokens.refreshToken !== undefined ? 'refresh_token' : 'access_token';
  switch (form.get('action')) {
    case 'userinfo': {
      const { idToken } = await tokensModel(context, run, tokens);
      return askUserinfo(context, run, tokens, String(claimOf(idToken, 'sub') ?? ''));
    }
    case 'refresh':
      return refresh(context, run, tokens);
    case 'introspect':
      return introspect(context, tokens, kind);
    case 'revoke':
      return revoke(context, run, tokens, kind);
    default:
      throw new AppError('invalid_input', 'The playground has no such action.');
  }
}

/** Step 4: the tokens taken apart, and what an app or a service does with them. */
export function addTokenPages(router: Router, context: PageContext): void {
  router.get('/runs/:id/tokens', async (ctx) => {
    const run = runOf(ctx, context, 'code', 'device', 'machine');
    if (!run.tokens) throw new AppError('not_found', 'This run has no tokens yet. Go through the steps in order.');
    show(ctx, context, 'tokens', await tokensModel(context, run, run.tokens));
  });

  router.post('/runs/:id/calls', async (ctx) => {
    const form = await formOf(ctx, context);
    const run = runOf(ctx, context, 'code', 'device', 'machine');
    if (!run.tokens) throw new AppError('conflict', 'This run has no tokens yet. Go through the steps in order.');
    run.calls.push(await act(context, run, run.tokens, form));
    run.calls.splice(0, run.calls.length - keptCalls);
    seeOther(ctx, `/runs/${run.id}/tokens#latest`);
  });

  router.post('/runs/:id/sign-out', async (ctx) => {
    await formOf(ctx, context);
    const run = runOf(ctx, context, 'code');
    const visit = visitFor(ctx, context);
    visit.signOutState = randomSecret();
    seeOther(ctx, await signOutUrl(context, run, visit.signOutState, context.origin));
  });
}
