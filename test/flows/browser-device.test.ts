import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { Client } from '../../src/clients/index.ts';
import { createClient, createPerson } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { enterPassword, goOn, sharedServer, type Visitor, visit } from '../support/visitor.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

describe('connecting a device with a browser', function () {
  this.timeout(60_000);
  let server: RunningApp;
  let client: Client;
  let device: oidc.Configuration;

  before(async () => {
    server = await sharedServer();
    ({ client } = await createClient(server, {
      kind: 'native',
      metadata: { grant_types: [deviceGrant, 'refresh_token'] },
    }));
    device = await oidc.discovery(
      new URL(server.url),
      client.id,
      { id_token_signed_response_alg: 'ES256' },
      oidc.None(),
      { execute: [oidc.allowInsecureRequests] },
    );
  });

  const ask = (): Promise<oidc.DeviceAuthorizationResponse> =>
    oidc.initiateDeviceAuthorization(device, { scope: 'openid email offline_access' });
  const poll = (answer: oidc.DeviceAuthorizationResponse): Promise<oidc.TokenEndpointResponse> =>
    oidc.genericGrantRequest(device, deviceGrant, { device_code: answer.device_code });
  /** The error that the device gets for the time being. */
  const refusal = (answer: oidc.DeviceAuthorizationResponse): Promise<string> =>
    poll(answer).then(
      () => 'tokens',
      (error: oidc.ResponseBodyError) => error.error,
    );
  const visitDevice = (walk: (visitor: Visitor) => Promise<void>, javaScript = true): Promise<void> =>
    visit(server, { javaScript }, walk);
  const titleOf = (visitor: Visitor): Promise<string> => visitor.page.title();

  for (const javaScript of [true, false]) {
    it(`takes the code, asks whether it is the person's own device, signs in, asks for consent, and the device gets its tokens, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const person = await createPerson(server);
      const answer = await ask();
      expect(await refusal(answer)).to.equal('authorization_pending');
      await visitDevice(async (visitor) => {
        const { page, at, submit, text } = visitor;
        await page.goto(answer.verification_uri);
        await at('device');
        expect(await page.evaluate('document.activeElement.id')).to.equal('user_code');
        await page.keyboard.type(answer.user_code.toLowerCase().replace('-', ' '));
        await page.keyboard.press('Enter');
        await at('device-confirm');
        expect(await text('#user-code')).to.equal(answer.user_code);
        expect(await text('main')).to.include(client.name);
        await submit({});
        await enterPassword(visitor, person);
        await at('consent');
        await submit({});
        await at('device-done');
        expect(await text('main')).to.include(client.name);
      }, javaScript);
      const tokens = await poll(answer);
      expect(tokens.refresh_token).to.be.a('string');
      const userinfo = await oidc.fetchUserInfo(device, tokens.access_token, person.account.id);
      expect(userinfo.email).to.equal(person.account.email);
      expect(await refusal(answer), 'a second time').to.equal('invalid_grant');
    });
  }

  for (const javaScript of [true, false]) {
    it(`still asks before it connects when the address carries the code, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const answer = await ask();
      await visitDevice(async (visitor) => {
        const { page, at, submit, text } = visitor;
        await page.goto(answer.verification_uri_complete ?? '');
        if (!javaScript) await goOn(visitor);
        await at('device-confirm');
        expect(await text('#user-code')).to.equal(answer.user_code);
        expect(await refusal(answer)).to.equal('authorization_pending');
        await submit({}, 'deny');
        await at('device');
        expect(await text('main')).to.include('The device was refused');
      }, javaScript);
      expect(await refusal(answer)).to.equal('access_denied');
    });
  }

  it('asks somebody who is signed in for the device, too, and tells the device when they deny the app', async () => {
    const person = await createPerson(server);
    const [first, second] = [await ask(), await ask()];
    await visitDevice(async (visitor) => {
      const { page, at, submit } = visitor;
      await page.goto(first.verification_uri);
      await at('device');
      await submit({ user_code: first.user_code });
      await at('device-confirm');
      await submit({});
      await enterPassword(visitor, person);
      await at('consent');
      await submit({}, 'deny');
      await at('device');
      await page.goto(second.verification_uri);
      await at('device');
      await submit({ user_code: second.user_code });
      await at('device-confirm');
      await submit({});
      await at('consent');
      await submit({});
      await at('device-done');
    });
    expect(await refusal(first)).to.equal('access_denied');
    expect((await poll(second)).access_token).to.be.a('string');
  });

  it('says no to the device when the person turns back at the first door', async () => {
    const answer = await ask();
    await visitDevice(async ({ page, at, submit, text }) => {
      await page.goto(answer.verification_uri);
      await at('device');
      await submit({ user_code: answer.user_code });
      await at('device-confirm');
      await submit({});
      await at('login');
      await submit({}, 'cancel');
      await at('device');
      expect(await text('main')).to.include('The device was refused');
    });
    expect(await refusal(answer)).to.equal('access_denied');
  });

  it('says what is wrong with a code: unknown, or used already', async () => {
    const answer = await ask();
    const person = await createPerson(server);
    await visitDevice(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(answer.verification_uri);
      await at('device');
      await submit({ user_code: 'BBBB-BBBB' });
      await at('device');
      expect(await titleOf(visitor)).to.match(/^Error: /);
      expect(await text('[role=alert]')).to.include('not a code of a waiting device');
      expect(await page.evaluate('document.activeElement.id')).to.equal('user_code');

      await submit({ user_code: answer.user_code });
      await at('device-confirm');
      await submit({});
      await enterPassword(visitor, person);
      await at('consent');
      await submit({});
      await at('device-done');
      await page.goto(answer.verification_uri);
      await at('device');
      await submit({ user_code: answer.user_code });
      await at('device');
      expect(await text('[role=alert]')).to.include('used already');
    });
  });
});
