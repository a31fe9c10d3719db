import * as client from 'openid-client';
import { randomText } from '../shared/ids.ts';
import { call, type FlowContext } from './call.ts';
import { parametersOf, type RequestSettings } from './request-settings.ts';
import type { Call, CodeRun } from './run.ts';
import { codeFor } from './snippets.ts';

/** A run, unless the server refused its pushed request; then only the call that says why. */
export interface StartedRun {
  readonly run?: CodeRun;
  readonly call?: Call;
}

/**
 * Step 1 to 2: makes state, nonce and PKCE verifier, pushes the request when asked to, and gives the address for the
 * browser. The result has no run when the server refused a pushed request; its call says why.
 */
export async function startCodeRun(
  context: FlowContext,
  settings: RequestSettings,
  origin: string,
): Promise<StartedRun> {
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
  const parts = {
    id: randomText(16),
    kind: 'code',
    settings,
    parameters,
    state,
    nonce,
    verifier,
    ...(dpop && { dpop }),
  } as const;
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
