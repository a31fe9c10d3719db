import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { createAuthenticator } from '../passkeys/authenticator.ts';
import { expectPage } from '../support/web-client.ts';
import { House } from './house.ts';

describe('a second passkey that is made in a session that began with the first', () => {
  let house: House;
  before(async () => {
    house = await House.open();
  });
  after(() => house?.[Symbol.asyncDispose]());

  it('leaves the session as strong and as old as it is', async () => {
    const person = await house.resident('passkey');
    const { web, attempt, page } = await house.visit();
    const back = await house.showPasskey({ web, attempt, page: expectPage(page, 'login') }, person.key, true);
    const first = (await house.app.redeem(back.url, attempt)).claims();
    expect(first).to.include({ acr: 'aal2' });
    await delay(1_100);
    const me = await web.fetch('/api/v1/me');
    const headers = { 'content-type': 'application/json', 'x-csrf-token': me.headers.get('x-csrf-token') ?? '' };
    const post = (path: string, body?: unknown) =>
      web.fetch(`/api/v1/me/passkeys${path}`, {
        method: 'POST',
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const options = (await (await post('/options')).json()) as never;
    const key = createAuthenticator({ origin: house.server.url });
    const made = await post('', { name: 'Spare', response: key.create(options) });
    expect(made.status, await made.text()).to.equal(201);
    const again = await house.app.request({ prompt: 'none' });
    const now = (await house.app.redeem((await web.open(again.url)).url, again)).claims();
    expect(now).to.deep.include({ acr: 'aal2', amr: first?.amr, auth_time: first?.auth_time });
    expectPage(await web.open('/account'), 'account-overview');
  });
});
