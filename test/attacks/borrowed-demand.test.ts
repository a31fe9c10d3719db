import { expect } from 'chai';
import { generate } from 'otplib';
import { signIn } from '../support/relying-party.ts';
import { expectPage, WebClient } from '../support/web-client.ts';
import { House } from './house.ts';

const berlin = '81.2.69.10';

describe('a stranger who knows a password', () => {
  let house: House;

  before(async () => {
    house = await House.open({
      SALLYPORT_TRUSTED_PROXIES: '127.0.0.1,::1',
      SALLYPORT_EMAIL_STEP: 'off',
      SALLYPORT_RISK: 'new-device=second-factor',
    });
  });
  after(() => house?.[Symbol.asyncDispose]());

  /** Somebody who was here before, with the password alone. */
  async function seenBefore() {
    const person = await house.resident('nothing');
    const home = await house.visit(new WebClient(house.server.url, { 'x-forwarded-for': berlin }));
    const end = await signIn(home.web, home.page, person);
    expect(end.url.searchParams.has('code'), end.url.href).to.equal(true);
    return person;
  }

  it('does not get past the mailbox by a demand of two factors, to make the second one himself', async () => {
    const person = await seenBefore();
    const web = new WebClient(house.server.url);
    const attempt = await house.app.request({ acr_values: 'aal2' });
    const asked = expectPage(await signIn(web, await web.open(attempt.url), person), 'email-code');
    // Its owner gets through, and then meets the demand.
    const code = await house.mailed(person, /^(\d{8})$/m);
    const page = expectPage(await web.submit(asked, { code, action: 'continue' }, 'code'), 'enroll-totp');
    const [secret = ''] = /\b[A-Z2-7]{32}\b/.exec(page.text.replace(/(?<=[A-Z2-7]{4}) (?=[A-Z2-7]{4})/g, '')) ?? [];
    const codes = await web.submit(page, { code: await generate({ secret }), action: 'continue' }, 'code');
    expectPage(codes, 'backup-codes');
  });

  it('does not get past it by another door, at which no browser has to say who it is', async () => {
    const person = await seenBefore();
    const { status, body } = await house.direct.login(person);
    expect(body).to.include({ requires_2fa: true });
    expect(body.methods).to.deep.equal(['email']);
    expect(status).to.equal(200);
    const demanded = await house.direct.login(person, { device_token: 'new' });
    expect(demanded.body.methods).to.deep.equal(['email']);
  });
});
