import * as client from 'openid-client';
import type { Clock } from '../shared/clock.ts';
import { randomText } from '../shared/ids.ts';
import { type Exchange, record } from './exchange.ts';
import { adviceFor, explainProblem, type Problem } from './explain-problem.ts';
import type { PlaygroundClients } from './options.ts';
import type { RelyingParty } from './relying-party.ts';
import { parametersOf, type RequestSettings } from './request-settings.ts';
import type { Call, Check, CodeRun, TokenSet } from './run.ts';
import { codeFor, curlOf } from './snippets.ts';

/** What the flows need; one for the whole playground. */
export interface FlowContext {
  readonly party: RelyingParty;
  readonly clients: PlaygroundClients;
  readonly clock: Clock;
}

/** The tokens of an answer of the token endpoint. */
export function tokenSetOf(answer: client.TokenEndpointResponse, receivedAt: number): TokenSet {
  return {
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    receivedAt,
    ...(answer.expires_in !== undefined && { expiresAt: receivedAt + answer.expires_in * 1000 }),
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(answer.id_token !== undefined && { idToken: answer.id_token }),
    ...(answer.scope !== undefined && { scope: answer.scope }),
  };
}

/** Does something at the server and describes it, whether it went well or not. */
export async function call(
  title: string,
  code: string,
  work: () => Promise<string | undefined>,
): Promise<Call> {
  const exchanges: Exchange[] = [];
  try {
    const note = await record(exchanges, work);
    return { title, code, exchanges, ...(note !== undefined && { note }) };
  } catch (error) {
    return { title, code, exchanges, problem: explainProblem(error) };
  }
}

export interface StartedRun {
  readonly run?: CodeRun;
  readonly call?: Call;
}

/**
 * Step 1 to 2: makes state, nonce and PKCE verifier, pushes the request when asked to, and gives the address for the
 * browser. The result has no run when the server refused a pushed request; its call says why.
 */
export async function startCodeRun(context: FlowContext, settings: RequestSettings, origin: string): Promise<StartedRun> {
  const { party, clients } = context;
  const configuration = await party.as('playground');
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
  const parameters = {
    client_id: clients.playground.clientId,
    response_type: 'code',
    redirect_uri: `${origin}/callback`,
    ...parametersOf(settings),
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  const dpop = settings.dpop ? client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256')) : undefined;
  const parts = { id: randomText(16), kind: 'code', settings, parameters, state, nonce, verifier, ...(dpop && { dpop }) } as const;
  if (!settings.par) {
    return { run: { ...parts, calls: [], url: client.buildAuthorizationUrl(configuration, parameters).href } };
  }
  const code = codeFor.authorize({ issuer: party.issuer, ...clients.playground }, parameters, true);
  let url = '';
  const pushed = await call('Push the request', code, async () => {
    url = (await client.buildAuthorizationUrlWithPAR(configuration, parameters)).href;
    return 'The browser now only carries request_uri, which stands for the pushed parameters.';
  });
  return { call: pushed, ...(url && { run: { ...parts, calls: [pushed], url } }) };
}

function problemIn(query: URLSearchParams): Problem | undefined {
  const error = query.get('error');
  if (error === null) return undefined;
  const description = query.get('error_description');
  return {
    title: 'The server sent the browser back with an error',
    error,
    ...(description !== null && { description }),
    advice: adviceFor(error),
  };
}

/** Step 3: what an app has to check in the answer before it touches the code (RFC 9700 §2.1, RFC 9207). */
export function receiveAnswer(run: CodeRun, address: URL, issuer: string): void {
  const query = address.searchParams;
  const checks: Check[] = [
    {
      name: 'state',
      passed: query.get('state') === run.state,
      text: 'It is the value that this browser left with, so the answer belongs to this run.',
    },
    {
      name: 'iss',
      passed: query.get('iss') === issuer,
      text: `It is ${issuer}, so no other server answered in its place.`,
    },
  ];
  const problem = problemIn(query);
  if (!problem) {
    const passed = query.getAll('code').length === 1;
    checks.push({ name: 'code', passed, text: 'There is exactly one. It works once, for a minute, and only with the PKCE verifier.' });
  }
  run.answer = { url: address.href, checks, ...(problem && { problem }) };
}

/** Step 4 by hand: the request that exchanges the code, as curl and as code. */
export async function redeemByHand({ party, clients }: FlowContext, run: CodeRun, answer: string): Promise<{ curl: string; code: string }> {
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
    const checks = { pkceCodeVerifier: verifier, expectedState: state, ...limits, ...(settings.scope.includes('openid') && { expectedNonce: nonce }) };
    const resource = settings.resource === undefined ? {} : { resource: settings.resource };
    const tokens = await client.authorizationCodeGrant(await party.as('playground'), new URL(answer), checks, resource, dpop && { DPoP: dpop });
    run.tokens = tokenSetOf(tokens, clock.now());
    return 'The verifier proves that the app that started is the app that ends. The server answers once; a second try with this code ends what came from the first.';
  });
}
