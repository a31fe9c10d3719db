import * as client from 'openid-client';
import { call, type FlowContext, tokenSetOf } from './call.ts';
import { curlOf } from './curl.ts';
import type { Call, CodeRun } from './run.ts';
import { codeFor } from './snippets.ts';

/** Step 4 by hand: the request that exchanges the code, as curl and as code. */
export async function redeemByHand(
  { party, clients }: FlowContext,
  run: CodeRun,
  answer: string,
): Promise<{ curl: string; code: string }> {
  const { verifier, state, nonce, settings } = run;
  const { token_endpoint = '' } = await party.metadata();
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: new URL(answer).searchParams.get('code') ?? '',
    redirect_uri: run.parameters.redirect_uri ?? '',
    code_verifier: verifier,
    client_id: clients.playground.clientId,
    ...(settings.resource !== undefined && { resource: settings.resource }),
  });
  const request = { method: 'POST', url: token_endpoint, headers: [], body: body.toString() };
  const { max_age: maxAge, resource, scope } = settings;
  const values = {
    answer,
    verifier,
    state,
    ...(scope.includes('openid') && { nonce }),
    ...(maxAge !== undefined && { maxAge }),
    ...(resource !== undefined && { resource }),
  };
  const code = codeFor.redeem({ issuer: party.issuer, ...clients.playground }, values);
  return { curl: curlOf({ request, milliseconds: 0 }), code };
}

/** Step 4: the code becomes tokens. The library checks the ID token: `iss`, `aud`, `exp`, `nonce`, `auth_time`. */
export async function redeemCode(context: FlowContext, run: CodeRun, answer: string): Promise<Call> {
  const { party, clock } = context;
  const { verifier, state, nonce, settings, dpop } = run;
  const maxAge = settings.max_age;
  const limits = maxAge === undefined ? {} : { maxAge };
  const { code } = await redeemByHand(context, run, answer);
  return call('Exchange the code', code, async () => {
    const checks = {
      pkceCodeVerifier: verifier,
      expectedState: state,
      ...limits,
      ...(settings.scope.includes('openid') && { expectedNonce: nonce }),
    };
    const resource = settings.resource === undefined ? {} : { resource: settings.resource };
    const tokens = await client.authorizationCodeGrant(
      await party.as('playground'),
      new URL(answer),
      checks,
      resource,
      dpop && { DPoP: dpop },
    );
    run.tokens = tokenSetOf(tokens, clock.now());
    return 'The verifier proves that the app that started is the app that ends. The server answers once; a second try with this code ends what came from the first.';
  });
}
