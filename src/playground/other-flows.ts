import * as client from 'openid-client';
import { randomText } from '../shared/ids.ts';
import { call, type FlowContext, tokenSetOf } from './call.ts';
import type { Call, DeviceRun, MachineRun, Run } from './run.ts';
import { codeFor } from './snippets.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** A run, when the server let it start, and the call that started it. */
export interface Started<T extends Run> {
  readonly call: Call;
  readonly run?: T;
}

/** A machine asks for a token of its own: no person, no refresh token (RFC 6749 §4.4). */
export async function startMachineRun(
  context: FlowContext,
  scope: string,
  resource: string,
): Promise<Started<MachineRun>> {
  const { party, clients, clock } = context;
  const own = clients.machine;
  if (!own) throw new RangeError('The playground has no machine client.');
  const parameters = { ...(scope && { scope }), ...(resource && { resource }) };
  const calls: Call[] = [];
  const run: MachineRun = { kind: 'machine', id: randomText(16), calls, scope, ...(resource && { resource }) };
  const done = await call(
    'Ask for a token',
    codeFor.machine({ issuer: party.issuer, ...own }, parameters),
    async () => {
      run.tokens = tokenSetOf(await client.clientCredentialsGrant(await party.as('machine'), parameters), clock.now());
      return 'The machine proved itself with its secret. When the token expires it simply asks again.';
    },
  );
  calls.push(done);
  return run.tokens ? { run, call: done } : { call: done };
}

/** A device without a keyboard asks for a code that its owner enters elsewhere (RFC 8628 §3.1). */
export async function startDeviceRun(context: FlowContext, scope: string): Promise<Started<DeviceRun>> {
  const { party, clients, clock } = context;
  const own = clients.device;
  if (!own) throw new RangeError('The playground has no device client.');
  const calls: Call[] = [];
  let run: DeviceRun | undefined;
  const done = await call(
    'Ask for a device code',
    codeFor.device({ issuer: party.issuer, ...own }, scope),
    async () => {
      const answer = await client.initiateDeviceAuthorization(await party.as('device'), { scope });
      run = {
        kind: 'device',
        id: randomText(16),
        calls,
        scope,
        deviceCode: answer.device_code,
        userCode: answer.user_code,
        verificationUri: answer.verification_uri,
        ...(answer.verification_uri_complete !== undefined && {
          verificationUriComplete: answer.verification_uri_complete,
        }),
        expiresAt: clock.now() + answer.expires_in * 1000,
      };
      return 'device_code stays on the device. user_code is what its owner types.';
    },
  );
  calls.push(done);
  return run ? { run, call: done } : { call: done };
}

/** One poll, as the device sends it every few seconds (RFC 8628 §3.4). */
export async function pollDevice(context: FlowContext, run: DeviceRun): Promise<Call> {
  const { party, clients, clock } = context;
  const own = clients.device;
  if (!own) throw new RangeError('The playground has no device client.');
  return call('Ask for the tokens', codeFor.device({ issuer: party.issuer, ...own }, run.scope), async () => {
    const answer = await client.genericGrantRequest(await party.as('device'), deviceGrant, {
      device_code: run.deviceCode,
    });
    run.tokens = tokenSetOf(answer, clock.now());
    return 'The device has its tokens and never saw a password.';
  });
}
