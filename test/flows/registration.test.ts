import { expect } from 'chai';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { createPerson } from '../support/people.ts';
import { type RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, readForm, signInBase, WebClient } from '../support/web-client.ts';
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

for (const lane of fullestStoreLane()) {
  describe(`registration on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let app: RelyingParty;

    before(async () => {
      server = stack.use(await startApp({ ...roomy, ...(await lane.env(stack)) }));
      app = await registeredApp(server, 'Tidewater');
    });
    after(() => stack.disposeAsync());

    const find = (email: string) => server.app.domains.accounts.findByLogin(email);
    const registered = async () => {
      const [web, email, password] = [new WebClient(server.url), newAddress(), goodPassword()];
      expectPage(await register(web, email, password), 'check-mail');
      return { web, email, password, ...(await mailed(server, email, 'verify-email')) };
    };

    it('leads from the sign-in of an app through the mail back to the app', async () => {
      const [web, email, password] = [new WebClient(server.url), newAddress(), goodPassword()];
      const attempt = await app.request();
      const login = expectPage(await web.open(attempt.url), 'login');
      const uid = signInBase(login).slice('/sign-in/'.length);
      const link = /href="(\/account\/register[^"]+)"/.exec(login.text)?.[1] ?? '';
      expect(link).to.equal(`/account/register?sign_in=${uid}`);
      const form = expectPage(await web.open(link), 'register');
      expect(form.text).to.include('Tidewater');
      const sent = await web.submit(form, { email, 'new-password': password, action: 'continue' }, 'email');
      expect(expectPage(sent, 'check-mail').url.pathname).to.equal('/account/check-mail');
      expect(sent.text).to.include(email);

      const { path } = await mailed(server, email, 'verify-email');
      const page = expectPage(await web.open(path), 'verify-email');
      expect(page.text).to.include(email).and.not.include('name="password"');
      expect(await find(email)).to.include({ status: 'unverified' });
      const done = await web.submit(page, { action: 'continue' }, 'token');
      expect(done.text).to.include('is confirmed').and.include('Continue to <bdi>Tidewater</bdi>');
      expect(await find(email)).to.include({ status: 'active', emailVerified: true });
      const onward = expectPage(await web.open(`/sign-in/${uid}`), 'login');
      expect(done.text).to.include(`href="/sign-in/${uid}"`);
      const back = await signIn(web, onward, { login: email, password });
      expect((await app.redeem(back.url, attempt)).claims()?.sub).to.equal((await find(email))?.id);
      // The sign-in is over, so nothing leads to it any more.
      expect((await web.open('/account/check-mail')).text).not.to.include('Tidewater');
    });

    it('answers a free and a taken address the same, to the last byte', async () => {
      const owner = await createPerson(server);
      const taken = owner.account.email;
      const free = `${'f'.repeat(taken.indexOf('@'))}${taken.slice(taken.indexOf('@'))}`;
      const password = goodPassword();
      const answers = [];
      for (const email of [free, taken]) {
        const { web, csrf } = await visitorOf(server);
        const fields = { csrf, email, 'new-password': password, action: 'continue' };
        const posted = await answerOf(await postRaw(web, '/account/register', fields));
        const shown = await answerOf(await web.fetch('/account/check-mail'));
        const again = await answerOf(await postRaw(web, '/account/check-mail', { csrf, email }));
        const after = await answerOf(await web.fetch('/account/check-mail'));
        answers.push([posted, shown, again, after].map((text) => text.replaceAll(email, 'ADDRESS')));
      }
      expect(answers[0]).to.deep.equal(answers[1]);
      expect(answers[0]?.[0]).to.match(/^303\n/);
      expect(answers[0]?.[1]).to.include('ADDRESS');
      expect((await mailed(server, taken, 'registration-attempt')).count).to.equal(1);
      expect((await mailed(server, free, 'verify-email')).count).to.equal(2);
    });

    it('takes about the same time for both', async () => {
      const owner = await createPerson(server);
      const times: Record<string, number[]> = { free: [], taken: [] };
      for (let round = 0; round < 12; round += 1) {
        for (const kind of ['free', 'taken'] as const) {
          const { web, csrf } = await visitorOf(server);
          const email = kind === 'free' ? newAddress() : owner.account.email;
          const start = performance.now();
          await postRaw(web, '/account/register', { csrf, email, 'new-password': goodPassword(), action: 'continue' });
          times[kind]?.push(performance.now() - start);
        }
      }
      const median = (list: number[] = []) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
      const [free, taken] = [median(times.free), median(times.taken)];
      console.log(`      free ${free.toFixed(1)} ms, taken ${taken.toFixed(1)} ms, ratio ${(free / taken).toFixed(3)}`);
      expect(Math.min(free, taken), 'both wait for the same answer time').to.be.at.least(290);
    });

    it('takes the token out of the address, keeps it from scripts and caches, and changes nothing by looking', async () => {
      const { web, email, path, token } = await registered();
      for (const method of ['HEAD', 'GET', 'GET']) {
        const first = await web.fetch(path, { method });
        expect(first.status).to.equal(303);
        expect(first.headers.get('location')).to.equal('/account/verify-email');
        expect(first.headers.get('cache-control')).to.equal('no-store');
        expect(first.headers.get('referrer-policy')).to.equal('no-referrer');
        const cookie = first.headers.getSetCookie().find((line) => line.startsWith('sp_link='));
        expect(cookie).to.match(/; path=\/account\/verify-email; .*samesite=lax; httponly/i);
        const page = await web.fetch('/account/verify-email');
        expect(page.headers.get('cache-control')).to.equal('no-store');
        expect(await page.text()).to.include(token);
      }
      expect(await find(email)).to.include({ status: 'unverified' });
      // A link that was cut leads nowhere, and not to the one before it.
      const cut = await web.open(path.slice(0, -1));
      expect(expectPage(cut, 'verify-email').status).to.equal(400);
      expect(cut.text).to.include('not whole');
      expect((await web.open('/account/verify-email')).status).to.equal(400);
    });

    it('confirms once; a second press and a second click say that it is done', async () => {
      const { web, path } = await registered();
      const page = await web.open(path);
      const press = () => web.submit(page, { action: 'continue' }, 'token');
      expect((await press()).text).to.include('Your address is confirmed<');
      for (const again of [await press(), await web.open(path)]) {
        expect(expectPage(again, 'verify-email').status).to.equal(200);
        expect(again.text).to.include('confirmed already');
      }
    });

    it('asks another browser for the password, and takes no other one', async () => {
      const { email, password, path } = await registered();
      const other = new WebClient(server.url);
      const page = expectPage(await other.open(path), 'verify-email');
      expect(readForm(page.text, 'password').fields).to.have.property('token');
      for (const wrong of ['', goodPassword()]) {
        const refused = await other.submit(page, { password: wrong, action: 'continue' }, 'token');
        expect(expectPage(refused, 'verify-email').status).to.equal(422);
        expect(await find(email)).to.include({ status: 'unverified' });
      }
      const done = await other.submit(page, { password, action: 'continue' }, 'token');
      expect(done.text).to.include('is confirmed');
      expect(await find(email)).to.include({ status: 'active' });
    });

    describe('of my address by a stranger', () => {
      it('gives the stranger nothing: I set a password of my own, and theirs opens nothing', async () => {
        const stranger = await registered();
        const me = new WebClient(server.url);
        const asked = await me.open(stranger.path);
        const own = await me.submit(asked, { action: 'own' }, 'token');
        expect(readForm(own.text, 'new-password').fields.step).to.equal('own');
        const weak = await me.submit(own, { 'new-password': 'short', action: 'continue' }, 'new-password');
        expect(weak.status).to.equal(422);
        expect(weak.text).to.include('characters or more');
        expect(await find(stranger.email)).to.include({ status: 'unverified' });
        const mine = goodPassword();
        const done = await me.submit(weak, { 'new-password': mine, action: 'continue' }, 'new-password');
        expect(done.text).to.include('is confirmed');

        const login = expectPage(await stranger.web.open((await app.request()).url), 'login');
        const theirs = await signIn(stranger.web, login, { login: stranger.email, password: stranger.password });
        expectPage(theirs, 'login');
        const attempt = await app.request();
        const back = await signInAfterChange(me, await me.open(attempt.url), {
          login: stranger.email,
          password: mine,
        });
        expect(back.url.origin, back.text).to.equal('https://app.example');
      });

      for (const way of ['a password of my own', 'a reset', 'removing it'] as const) {
        it(`does not let in a sign-in of theirs that waits for the address, after ${way}`, async () => {
          const stranger = await registered();
          const { web, email, password } = stranger;
          const waiting = await signIn(web, await web.open((await app.request()).url), { login: email, password });
          const me = new WebClient(server.url);
          if (way === 'a reset') {
            const form = await me.open('/account/forgot-password');
            await me.submit(form, { username: email, action: 'continue' }, 'username');
            const { path } = await mailed(server, email, 'reset-password');
            expect((await follow(me, path, { 'new-password': goodPassword() })).text).to.include('password is set');
          } else {
            const step = way === 'removing it' ? 'discard' : 'own';
            const page = await me.submit(await me.open(stranger.path), { action: step }, 'token');
            const fields = step === 'own' ? { 'new-password': goodPassword() } : {};
            const done = await me.submit(page, { ...fields, action: 'continue' }, 'token');
            expect(done.text).to.match(/is confirmed|is removed/);
          }
          for (const path of ['', '/login', '/consent', '/second-factor', '/unverified']) {
            const page = await web.open(`${signInBase(waiting)}${path}`);
            expect(page.url.origin, `${path} leads to the app`).to.equal(server.url);
          }
          const pressed = await web.submit(waiting, { action: 'continue' }, 'csrf').catch(() => undefined);
          expect(pressed?.url.origin ?? server.url).to.equal(server.url);
        });
      }

      it('is removed by me, after a question, and the address is free for me', async () => {
        const stranger = await registered();
        const me = new WebClient(server.url);
        const asked = await me.open(stranger.path);
        const question = await me.submit(asked, { action: 'discard' }, 'token');
        expect(question.text).to.include('Remove this registration');
        const kept = await me.submit(question, { action: 'back' }, 'token');
        expect(readForm(kept.text, 'password').fields).to.have.property('token');
        expect(await find(stranger.email)).to.include({ status: 'unverified' });
        const gone = await me.submit(question, { action: 'continue' }, 'token');
        expect(gone.text).to.include('is removed');
        expect(await find(stranger.email)).to.equal(undefined);
        expect((await me.submit(question, { action: 'continue' }, 'token')).status).to.equal(410);
        const password = goodPassword();
        expectPage(await register(me, stranger.email, password), 'check-mail');
        const { path } = await mailed(server, stranger.email, 'verify-email');
        expect((await follow(me, path)).text).to.include('is confirmed');
      });

      it('is not activated by my own registration or my press of "send it again"', async () => {
        const stranger = await registered();
        const me = new WebClient(server.url);
        const sent = await register(me, stranger.email, goodPassword());
        expectPage(await me.submit(sent, { action: 'continue' }, 'email'), 'check-mail');
        expect((await mailed(server, stranger.email, 'verify-email')).count).to.equal(3);
        const { path } = await mailed(server, stranger.email, 'verify-email');
        const refused = await follow(me, path);
        expect(refused.status).to.equal(422);
        expect(await find(stranger.email)).to.include({ status: 'unverified' });
        // Whoever registered first and has the mailbox needs no more than that.
        expect((await follow(stranger.web, path)).text).to.include('is confirmed');
      });
    });

    it('makes one account of fifty registrations at once, and confirms once for fifty presses', async () => {
      const { web, csrf } = await visitorOf(server);
      const [email, password] = [newAddress(), goodPassword()];
      const start = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () =>
          postRaw(web, '/account/register', { csrf, email, 'new-password': password, action: 'continue' }),
        ),
      );
      console.log(`      fifty registrations at once: ${Math.round(performance.now() - start)} ms`);
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([303]));
      const { token } = await mailed(server, email, 'verify-email');
      const presses = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const fields = { csrf, token, password, action: 'continue' };
          const answer = await postRaw(web, '/account/verify-email', fields);
          return answer.status === 303 ? 'done' : answer.text();
        }),
      );
      expect(presses.filter((text) => text === 'done')).to.have.length(1);
      expect(presses.filter((text) => text.includes('confirmed already'))).to.have.length(49);
      const id = (await find(email))?.id ?? '';
      expect(await server.app.domains.audit.list({ subject: id, type: 'email.verified', limit: 9 })).to.have.length(1);
    });

    it('says what is wrong with a form, keeps the address and makes nothing', async () => {
      const web = new WebClient(server.url);
      const bad = await register(web, 'nobody', goodPassword());
      expect(expectPage(bad, 'register').status).to.equal(422);
      expect(bad.text).to.include('<title>Error: ').and.include('value="nobody"').and.include('aria-invalid');
      const email = newAddress();
      const weak = await register(web, email, email);
      expect(expectPage(weak, 'register').status).to.equal(422);
      expect(weak.text).to.include(`value="${email}"`).and.include('mostly your name');
      expect((await register(web, '', '')).status).to.equal(422);
      expect(await find(email)).to.equal(undefined);
    });

    it('carries no address of another site along, and no sign-in that is over', async () => {
      const web = new WebClient(server.url);
      for (const value of ['https://evil.example/', '//evil.example', '/account', 'x', '../admin', 'x'.repeat(44)]) {
        const page = await web.open(`/account/register?sign_in=${encodeURIComponent(value)}`);
        expect(page.text, value).not.to.include('name="sign_in"').and.not.include('evil');
        expect(page.text).to.include('<a class="link" href="/">');
      }
      const unknown = await web.open(`/account/forgot-password?sign_in=${'x'.repeat(43)}`);
      expect(unknown.text).to.include('<a class="link" href="/">');
      const twice = await web.open(`/account/register?sign_in=${'x'.repeat(43)}&sign_in=${'y'.repeat(43)}`);
      expect(twice.status).to.be.below(500);
    });

    it('does nothing for a form of another site, on any of its pages', async () => {
      const { web } = await visitorOf(server);
      const { token, email } = await registered();
      const pages = ['register', 'invitation', 'check-mail', 'verify-email', 'forgot-password', 'reset-password'];
      for (const page of [...pages, 'confirm-email', 'recover']) {
        const fields = { token, email, username: email, 'new-password': goodPassword(), action: 'continue' };
        expect((await postRaw(web, `/account/${page}`, fields)).status, page).to.equal(403);
      }
      expect(await find(email)).to.include({ status: 'unverified' });
    });
  });
}
