import { expect } from 'chai';
import * as oidc from 'openid-client';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { type RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';
import {
  answerOf,
  follow,
  mailed,
  postRaw,
  register,
  registeredApp,
  roomy,
  signInAfterChange,
  visitorOf,
} from './entry-visitor.ts';

const operator = { kind: 'operator' } as const;

for (const lane of fullestStoreLane()) {
  describe(`recovery on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let app: RelyingParty;

    before(async () => {
      server = stack.use(await startApp({ ...roomy, ...(await lane.env(stack)) }));
      app = await registeredApp(server, 'Tidewater');
    });
    after(() => stack.disposeAsync());

    const has = (id: Parameters<typeof server.app.domains.credentials.factorsOf>[0], password: string) =>
      server.app.domains.credentials.verifyPassword(id, password);
    const asked = async (email: string, login = email) => {
      const web = new WebClient(server.url);
      const page = expectPage(await web.open('/account/forgot-password'), 'forgot-password');
      expectPage(await web.submit(page, { username: login, action: 'continue' }, 'username'), 'check-mail');
      return { web, ...(await mailed(server, email, 'reset-password')) };
    };

    it('sets a new password from the sign-in of an app and goes on to the app, by the second factor that stays', async () => {
      const person = await createPerson(server);
      const { account, login, password } = person;
      const { code } = await enrolTotp(server, account.id, login);
      // Somebody is signed in elsewhere, with an app that may refresh.
      const elsewhere = new WebClient(server.url);
      const before = await app.request({ scope: 'openid offline_access', prompt: 'consent' });
      let there = await signIn(elsewhere, await elsewhere.open(before.url), person);
      const [backup = ''] = await server.app.domains.credentials.backupCodes.create(account.id);
      there = await elsewhere.submit(expectPage(there, 'totp'), { action: 'backup-code' }, 'code');
      there = await elsewhere.submit(there, { code: backup, action: 'continue' }, 'code');
      if (there.name === 'consent') there = await elsewhere.submit(there, { action: 'continue' }, 'action');
      const tokens = await app.redeem(there.url, before);

      const web = new WebClient(server.url);
      const attempt = await app.request();
      const page = expectPage(await web.open(attempt.url), 'login');
      const link = /href="(\/account\/forgot-password[^"]+)"/.exec(page.text)?.[1] ?? '';
      const form = expectPage(await web.open(link), 'forgot-password');
      expect(form.text).to.include('Tidewater');
      const sent = await web.submit(form, { username: login, action: 'continue' }, 'username');
      expect(expectPage(sent, 'check-mail').text).to.include(login).and.not.include(account.email);

      const { path } = await mailed(server, account.email, 'reset-password');
      const reset = expectPage(await web.open(path), 'reset-password');
      expect(reset.url.search).to.equal('');
      expect(reset.text).to.include(account.email).and.include('second factor stays');
      const next = goodPassword();
      const refused = await web.submit(reset, { 'new-password': password, action: 'continue' }, 'new-password');
      expect([refused.status, await has(account.id, password)]).to.deep.equal([422, true]);
      const done = await web.submit(refused, { 'new-password': next, action: 'continue' }, 'new-password');
      expect(done.text).to.include('second factor is as it was').and.include('Continue to <bdi>Tidewater</bdi>');
      expect([await has(account.id, next), await has(account.id, password)]).to.deep.equal([true, false]);

      const over = await oidc.refreshTokenGrant(app.config, String(tokens.refresh_token)).catch((error) => error.error);
      expect(over).to.equal('invalid_grant');
      const silent = await elsewhere.open((await app.request({ prompt: 'none' })).url);
      expect(silent.url.searchParams.get('error')).to.equal('login_required');

      const href = /href="(\/sign-in\/[^"]+)"/.exec(done.text)?.[1] ?? '';
      const second = expectPage(await signInAfterChange(web, await web.open(href), { login, password: next }), 'totp');
      const back = await web.submit(second, { code: await code(), action: 'continue' }, 'code');
      expect((await app.redeem(back.url, attempt)).claims()).to.include({ sub: account.id, acr: 'aal2' });
    });

    it('answers any login the same, to the last byte, and mails only who is there', async () => {
      const { account, login } = await createPerson(server);
      const suspended = await createPerson(server);
      await server.app.domains.accounts.disable(suspended.account.id, operator);
      const logins = [login, 'x'.repeat(login.length), suspended.login];
      const answers: string[][] = [];
      const times: number[] = [];
      for (const username of logins) {
        const { web, csrf } = await visitorOf(server);
        const start = performance.now();
        const posted = await postRaw(web, '/account/forgot-password', { csrf, username, action: 'continue' });
        times.push(performance.now() - start);
        const shown = await answerOf(await web.fetch('/account/check-mail'));
        answers.push([await answerOf(posted), shown.replaceAll(username, 'LOGIN')]);
      }
      console.log(
        `      there ${times[0]?.toFixed(1)} ms, nobody ${times[1]?.toFixed(1)} ms, suspended ${times[2]?.toFixed(1)} ms`,
      );
      expect(Math.min(...times)).to.be.at.least(290);
      expect(answers[1]).to.deep.equal(answers[0]);
      expect(answers[2]).to.deep.equal(answers[0]);
      expect((await mailed(server, account.email, 'reset-password')).count).to.equal(1);
      expect((await mailed(server, suspended.account.email, 'reset-password')).count).to.equal(0);
      const { web, csrf } = await visitorOf(server);
      for (const username of ['', ' ']) {
        expect((await postRaw(web, '/account/forgot-password', { csrf, username })).status).to.equal(422);
      }
      for (const username of ['nonsense', 'a@b', '\u{1f6aa}', 'x'.repeat(5000)]) {
        expect((await postRaw(web, '/account/forgot-password', { csrf, username })).status, username).to.equal(303);
      }
    });

    it('resets once for fifty forms at once, and again for none that is sent later', async () => {
      const { account } = await createPerson(server);
      const { token, path } = await asked(account.email);
      const { web, csrf } = await visitorOf(server);
      const passwords = Array.from({ length: 50 }, goodPassword);
      const answers = await Promise.all(
        passwords.map((password) =>
          postRaw(web, '/account/reset-password', { csrf, token, 'new-password': password, action: 'continue' }),
        ),
      );
      const won = answers.findIndex(({ status }) => status === 303);
      expect(answers.filter(({ status }) => status === 410)).to.have.length(49);
      expect(await has(account.id, passwords[won] ?? '')).to.equal(true);
      const late = await postRaw(web, '/account/reset-password', { csrf, token, 'new-password': goodPassword() });
      expect(late.status).to.equal(410);
      expect(expectPage(await web.open(path), 'reset-password').text).to.include('This link does not work any more');
      expect(await has(account.id, passwords[won] ?? '')).to.equal(true);
    });

    it('takes on each page only the tokens of that page', async () => {
      const { account, password } = await createPerson(server);
      const { domains } = server.app;
      const waiting = newAddress();
      await register(new WebClient(server.url), waiting, goodPassword());
      const to = newAddress();
      await domains.registration.changeEmail(account.id, to);
      await domains.credentials.backupCodes.create(account.id);
      const link = await domains.recovery.issueLink(account.id, operator, { delivery: 'hand' });
      await domains.registration.invite({ email: newAddress() }, operator);
      const { token: reset } = await asked(account.email);
      const tokens: Record<string, string> = {
        'verify-email': (await mailed(server, waiting, 'verify-email')).token,
        'confirm-email': (await mailed(server, to, 'change-email')).token,
        'reset-password': reset,
        recover: new URL(link.path ?? '', server.url).searchParams.get('token') ?? '',
      };
      const { web, csrf } = await visitorOf(server);
      for (const page of [...Object.keys(tokens), 'invitation']) {
        for (const [kind, token] of [
          ...Object.entries(tokens),
          ['none', 'x'.repeat(43)],
          ['bad', "'\u0000"],
        ] as const) {
          if (kind === page) continue;
          const fields = { csrf, token, password, 'new-password': goodPassword(), action: 'continue' };
          const answer = await postRaw(web, `/account/${page}`, fields);
          expect(answer.status, `${kind} at ${page}`).to.equal(kind === 'bad' ? 400 : 410);
          const looked = await web.open(`/account/${page}?token=${encodeURIComponent(token)}`);
          expect(looked.status, `${kind} at ${page}`).to.equal(kind === 'bad' ? 400 : 410);
        }
      }
      expect(await domains.accounts.findByLogin(waiting)).to.include({ status: 'unverified' });
      expect(await domains.accounts.find(account.id)).to.include({ email: account.email });
      expect(await has(account.id, password)).to.equal(true);
      // Each of them still works where it belongs.
      expect((await new WebClient(server.url).open(`/account/reset-password?token=${reset}`)).status).to.equal(200);
    });

    it('changes an address by the link to the new one, once, and says so to a second click', async () => {
      const { account } = await createPerson(server);
      const to = newAddress();
      await server.app.domains.registration.changeEmail(account.id, to);
      const { path } = await mailed(server, to, 'change-email');
      const web = new WebClient(server.url);
      const page = expectPage(await web.open(path), 'confirm-email');
      expect(page.text).to.include(to).and.not.include(account.email);
      expect(await server.app.domains.accounts.find(account.id)).to.include({ email: account.email });
      const done = await web.submit(page, { action: 'continue' }, 'token');
      expect(done.text).to.include('Your address is changed<');
      expect(await server.app.domains.accounts.find(account.id)).to.include({ email: to, emailVerified: true });
      expect((await web.submit(page, { action: 'continue' }, 'token')).text).to.include('changed already');
      expect((await web.open(path)).text).to.include('changed already');
    });

    it('says that an address was taken meanwhile', async () => {
      const { account } = await createPerson(server);
      const to = newAddress();
      await server.app.domains.registration.changeEmail(account.id, to);
      const { path } = await mailed(server, to, 'change-email');
      await server.app.domains.accounts.create({ email: to }, operator);
      const taken = await follow(new WebClient(server.url), path);
      expect([taken.status, taken.name]).to.deep.equal([409, 'confirm-email']);
      expect(taken.text).to.include('Another account has this address');
    });

    it('takes a lost second factor off with the password, and ends the link after five wrong ones', async () => {
      const person = await createPerson(server);
      const { account, password } = person;
      await enrolTotp(server, account.id, person.login);
      const issue = async () => {
        await server.app.domains.recovery.issueLink(account.id, operator);
        return (await mailed(server, account.email, 'recovery-link')).path;
      };
      const first = await issue();
      const web = new WebClient(server.url);
      let page = expectPage(await web.open(first), 'recover');
      expect(page.text).to.include('authenticator app and all backup codes are removed');
      expect((await web.submit(page, { password: '', action: 'continue' }, 'password')).text).to.include('Enter your');
      for (const left of ['4 tries are', '3 tries are', '2 tries are', 'One try is']) {
        page = await web.submit(page, { password: 'wrong', action: 'continue' }, 'password');
        expect([page.status, page.name]).to.deep.equal([422, 'recover']);
        expect(page.text).to.include(`${left} left`);
      }
      expect((await web.submit(page, { password: 'wrong', action: 'continue' }, 'password')).status).to.equal(410);
      expect((await web.open(first)).status).to.equal(410);
      expect(await server.app.domains.credentials.factorsOf(account.id)).to.include({ totp: true });

      const done = await follow(web, await issue(), { password });
      expect(done.text).to.include('is yours again').and.include('set up a new authenticator');
      expect(await server.app.domains.credentials.factorsOf(account.id)).to.include({ totp: false });
    });

    it('sets a lost password with a code, which a refused password does not spend', async () => {
      const person = await createPerson(server);
      const { account } = person;
      const { code } = await enrolTotp(server, account.id, person.login);
      await server.app.domains.recovery.issueLink(account.id, operator, { lost: 'password' });
      const { path } = await mailed(server, account.email, 'recovery-link');
      const web = new WebClient(server.url);
      const page = expectPage(await web.open(path), 'recover');
      expect(readForm(page.text, 'code', 'new-password').fields).to.have.property('token');
      const next = goodPassword();
      const right = await code();
      const weak = await web.submit(page, { code: right, 'new-password': 'short', action: 'continue' }, 'code');
      expect(weak.status).to.equal(422);
      const done = await web.submit(weak, { code: right, 'new-password': next, action: 'continue' }, 'code');
      expect(done.text).to.include('new password is set');
      expect(await has(account.id, next)).to.equal(true);
    });
  });
}
