import { expect } from 'chai';
import { House } from '../attacks/house.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { createPerson } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { expectPage, type Page, type WebClient } from '../support/web-client.ts';

describe('the mails that one address asks for', () => {
  let house: House;

  before(async () => {
    house = await House.open({ SALLYPORT_EMAIL_SIGN_IN: 'code', SALLYPORT_LIMIT_MAIL_REQUESTS: '6' });
  });
  after(() => house?.[Symbol.asyncDispose]());

  const mails = async (): Promise<number> => (await house.server.app.domains.notifications.list(1000)).length;
  const emailPage = async (): Promise<{ web: WebClient; page: Page }> => {
    const { web, page } = await house.visit();
    const href = /href="(\/sign-in\/[\w-]+\/email)"/.exec(page.text)?.[1] ?? '';
    return { web, page: expectPage(await web.open(href), 'email-sign-in') };
  };
  const askFor = async (username: string): Promise<Page> => {
    const { web, page } = await emailPage();
    return web.submit(page, { username, action: 'continue' }, 'username');
  };

  it('are counted together, on whichever page of a sign-in, for whatever name', async () => {
    const email = newAddress();
    const password = goodPassword();
    await house.server.app.domains.registration.register({ email, password }, {});
    const { web, page } = await house.visit();
    const unverified = expectPage(await signIn(web, page, { login: email, password }), 'unverified');
    const resend = () => web.submit(unverified, { action: 'resend' }, 'action');
    for (let turn = 0; turn < 2; turn += 1) expectPage(await resend(), 'unverified');

    expect((await askFor('')).status, 'no name, no mail').to.equal(422);
    for (const name of [`nobody${newAddress()}`, (await createPerson(house.server)).login]) {
      expect((await askFor(name)).status).to.equal(200);
    }
    const again = await emailPage();
    const sent = await again.web.submit(again.page, { username: newAddress(), action: 'continue' }, 'username');
    expect((await again.web.submit(sent, { action: 'resend' }, 'action')).status).to.equal(200);

    const total = await mails();
    const person = await createPerson(house.server);
    for (const refused of [await askFor(person.login), await resend()]) {
      expect(expectPage(refused, 'error').status).to.equal(429);
      expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 3600);
    }
    expect(await mails(), 'nothing was mailed').to.equal(total);
  });
});
