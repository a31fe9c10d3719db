import { expect } from 'chai';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';
import { mailed, postRaw, register, roomy, visitorOf } from './entry-visitor.ts';

const operator = { kind: 'operator' } as const;

describe('the limits of registration', () => {
  let server: RunningApp;
  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_MAIL_REQUESTS: '4' });
  });
  after(() => server[Symbol.asyncDispose]());

  it('let three good forms an hour through for an address, also of fifty at once, and say when the next one is taken', async () => {
    const { web, csrf } = await visitorOf(server);
    // What was mistyped does not count.
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await register(web, newAddress(), 'short')).status).to.equal(422);
      expect((await register(web, 'nobody', goodPassword())).status).to.equal(422);
    }
    const emails = Array.from({ length: 50 }, newAddress);
    const answers = await Promise.all(
      emails.map((email) =>
        postRaw(web, '/account/register', { csrf, email, 'new-password': goodPassword(), action: 'continue' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 303)).to.have.length(3);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).to.have.length(47);
    for (const answer of refused) expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 3600);
    const made = await Promise.all(emails.map((email) => server.app.domains.accounts.findByLogin(email)));
    expect(made.filter(Boolean)).to.have.length(3);

    const page = await register(web, newAddress(), goodPassword());
    expect(expectPage(page, 'error').text).to.match(/Too many tries\. Try again in \d+ (minutes|seconds)/);
    // A taken address is counted and answered in the same way.
    const taken = made.find(Boolean)?.email ?? '';
    expect((await register(web, taken, goodPassword())).status).to.equal(429);
  });

  it('let four mails an hour be asked for, by both forms together', async () => {
    const { web, csrf } = await visitorOf(server);
    const statuses = [];
    for (let tries = 0; tries < 3; tries += 1) {
      statuses.push((await postRaw(web, '/account/forgot-password', { csrf, username: newAddress() })).status);
      statuses.push((await postRaw(web, '/account/check-mail', { csrf, email: newAddress() })).status);
    }
    expect(statuses).to.deep.equal([303, 303, 303, 303, 429, 429]);
    expect((await postRaw(web, '/account/forgot-password', { csrf, username: '' })).status).to.equal(422);
  });
});

for (const mode of ['off', 'invite'] as const) {
  describe(`registration that is ${mode === 'off' ? 'off' : 'for the invited'}`, () => {
    let server: RunningApp;
    before(async () => {
      server = await startApp({ ...roomy, SALLYPORT_REGISTRATION: mode, SALLYPORT_LIMIT_REGISTRATION: '1' });
    });
    after(() => server[Symbol.asyncDispose]());

    it('says so, offers no form and takes none', async () => {
      const { web, csrf } = await visitorOf(server);
      const page = expectPage(await web.open('/account/register'), 'register');
      expect(page.status).to.equal(403);
      expect(page.text).to.include('Registration is closed here').and.not.include('<form');
      const email = newAddress();
      const posted = await postRaw(web, '/account/register', { csrf, email, 'new-password': goodPassword() });
      expect(posted.status).to.equal(403);
      expect(await server.app.domains.accounts.findByLogin(email)).to.equal(undefined);
    });

    if (mode === 'off') return;

    it('makes the account of an invitation, once, for its address, whatever the limit', async () => {
      const { registration, accounts } = server.app.domains;
      for (let people = 0; people < 3; people += 1) {
        const email = newAddress();
        await registration.invite({ email, roles: ['support'] }, operator);
        const { path } = await mailed(server, email, 'invitation');
        const web = new WebClient(server.url);
        const page = expectPage(await web.open(path), 'invitation');
        expect(page.url.href).to.equal(`${server.url}/account/invitation`);
        expect(page.text).to.include(email);
        const weak = await web.submit(page, { 'new-password': 'short', action: 'continue' }, 'token');
        expect(expectPage(weak, 'invitation').status).to.equal(422);
        expect(await accounts.findByLogin(email)).to.equal(undefined);
        const fields = { 'new-password': goodPassword(), email: newAddress(), action: 'continue' };
        expectPage(await web.submit(weak, fields, 'token'), 'check-mail');
        expect(await accounts.findByLogin(email)).to.deep.include({ status: 'unverified', roles: ['support'] });
        expect((await web.submit(weak, fields, 'token')).status).to.equal(410);
        expect((await web.open(path)).status).to.equal(410);
        const link = await mailed(server, email, 'verify-email');
        const done = await web.submit(await web.open(link.path), { action: 'continue' }, 'token');
        expect(done.text).to.include('is confirmed');
      }
    });
  });
}
