import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { RequestOptions } from '../../src/passkeys/index.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { follow, register, signInAfterChange } from '../flows/entry-visitor.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { type Reply, textOf } from '../support/direct-client.ts';
import { signIn } from '../support/relying-party.ts';
import { expectPage, WebClient } from '../support/web-client.ts';
import { House, type Resident, type Second, type Visit } from './house.ts';

const seconds = ['nothing', 'app', 'passkey'] as const satisfies readonly Second[];
type Told = readonly [acr: string, ...amr: string[]];

/** What tokens may say once both doors are open, by what opened the first one. Sorted; by hand, from RFC 8176 and NIST. */
const afterPassword: Record<Second, Told> = {
  // The mailbox is the second step of whoever has nothing better, and no second factor.
  nothing: ['aal1', 'email', 'pwd'],
  app: ['aal2', 'mfa', 'otp', 'pwd'],
  passkey: ['aal2', 'hwk', 'mfa', 'pwd', 'user'],
};
const afterMail: Record<Second, Told> = {
  nothing: ['aal1', 'email'],
  app: ['aal1', 'email', 'otp'],
  passkey: ['aal1', 'email', 'hwk', 'user'],
};

const expectTold = ({ sub, acr, amr }: { sub?: unknown; acr?: unknown; amr?: unknown }, who: Resident, told: Told) =>
  expect([sub, acr, ...(Array.isArray(amr) ? [...amr].sort() : [amr])]).to.deep.equal([who.account.id, ...told]);

describe('every door asks for the second factor, over HTTP', function () {
  this.timeout(60_000);
  let house: House;

  before(async () => {
    house = await House.open({ SALLYPORT_EMAIL_SIGN_IN: 'code' });
  });
  after(() => house?.[Symbol.asyncDispose]());

  /** Nobody is in at the second door, and behind it the tokens say how they came. */
  async function expectSecondDoor(visit: Visit, who: Resident, told: Told): Promise<void> {
    await house.expectNobody(visit);
    const back = await house.pass(visit, who);
    expectTold(await house.told(back.url, visit.attempt), who, told);
  }

  const byPassword = async (who: Resident, web?: WebClient): Promise<Visit> => {
    const visit = await house.visit(web);
    return { ...visit, page: await signIn(visit.web, visit.page, who) };
  };

  for (const second of seconds) {
    describe(`of somebody with ${second}`, () => {
      it('the password page', async () => {
        const who = await house.resident(second);
        await expectSecondDoor(await byPassword(who), who, afterPassword[second]);
      });

      it('a mailed code', async () => {
        const who = await house.resident(second);
        const visit = await house.visit();
        const href = /href="(\/sign-in\/[\w-]+\/email)"/.exec(visit.page.text)?.[1] ?? '';
        const form = expectPage(await visit.web.open(href), 'email-sign-in');
        const sent = await visit.web.submit(form, { username: who.login, action: 'continue' }, 'username');
        await house.expectNobody({ web: visit.web, page: sent });
        const code = await house.mailed(who, /^(\d{8})$/m);
        const page = await visit.web.submit(sent, { code, action: 'continue' }, 'csrf', 'action');
        if (second !== 'nothing') return expectSecondDoor({ ...visit, page }, who, afterMail[second]);
        return expectTold(await house.told(page.url, visit.attempt), who, afterMail[second]);
      });

      it('a reset of the password', async () => {
        const who = await house.resident(second);
        const visit = await house.visit();
        const form = expectPage(await visit.web.open('/account/forgot-password'), 'forgot-password');
        await visit.web.submit(form, { username: who.login, action: 'continue' }, 'username');
        const path = await house.mailed(who, /(\/account\/reset-password\?token=[\w-]+)/);
        const password = goodPassword();
        const page = expectPage(await visit.web.open(path), 'reset-password');
        const done = await visit.web.submit(page, { 'new-password': password, action: 'continue' }, 'new-password');
        await house.expectNobody({ web: visit.web, page: done });
        const again = await house.visit(visit.web);
        const next = await signInAfterChange(again.web, again.page, { ...who, password });
        await expectSecondDoor({ ...again, page: next }, who, afterPassword[second]);
      });

      it('a browser that somebody else has remembered', async () => {
        const owner = await house.resident('app');
        const first = await byPassword(owner);
        const fields = { code: (await owner.code?.()) ?? '', trust: 'yes', action: 'continue' };
        await first.web.submit(expectPage(first.page, 'totp'), fields, 'code');
        const browser = (rename: (name: string) => string) => {
          const web = new WebClient(house.server.url);
          for (const [name, value] of first.web.cookies()) {
            if (/^sp_(device|known_)/.test(name)) web.setCookie(rename(name), value);
          }
          return web;
        };
        const who = await house.resident(second);
        await expectSecondDoor(
          await byPassword(
            who,
            browser((name) => name),
          ),
          who,
          afterPassword[second],
        );
        // The same with the owner's token under the name that this account's token has.
        const renamed = `sp_known_${sha256(who.account.id).slice(0, 10)}`;
        const forged = await byPassword(
          who,
          browser((name) => (name.startsWith('sp_known_') ? renamed : name)),
        );
        await house.expectNobody(forged);
        // It was worth something all the while, to its owner.
        const home = await byPassword(
          owner,
          browser((name) => name),
        );
        expectTold(await house.told(home.page.url, home.attempt), owner, ['aal1', 'pwd', 'remembered_device']);
      });

      it('a registration and its confirmation', async () => {
        const [email, password, web] = [newAddress(), goodPassword(), new WebClient(house.server.url)];
        const sent = await register(web, email, password);
        await house.expectNobody({ web, page: sent });
        const account = await house.server.app.domains.accounts.findByLogin(email);
        if (!account) throw new Error('nobody was registered');
        // An operator may have given it a second factor before anybody confirmed the address.
        const who = await house.equip({ account, login: email, password }, second);
        const path = await house.mailed({ account }, /(\/account\/verify-email\?token=[\w-]+)/);
        const confirmed = await follow(web, path);
        expect(confirmed.status, confirmed.text.slice(0, 300)).to.equal(200);
        await house.expectNobody({ web, page: confirmed });
        await expectSecondDoor(await byPassword(who, web), who, afterPassword[second]);
      });

      it('auth/login, and auth/login/2fa with what the account has', async () => {
        const who = await house.resident(second);
        const { direct } = house;
        const { body } = await direct.login(who);
        expect(Object.keys(body)).to.have.members([
          'requires_2fa',
          'challenge_id',
          'methods',
          'attempts_left',
          'expires_in',
        ]);
        const challenge = { challenge_id: textOf(body, 'challenge_id') };
        expect(await house.server.app.domains.sessions.list(who.account.id)).to.deep.equal([]);
        const mail = await direct.post('login/2fa/email', challenge);
        expect(mail.status).to.equal(second === 'nothing' ? 202 : 409);
        const answer = await direct.post('login/2fa', { ...challenge, ...(await shownAt(direct, who, challenge)) });
        expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
        expectTold(decodeJwt(textOf(answer.body, 'id_token')), who, afterPassword[second]);
      });

      it('the authorization challenge endpoint', async () => {
        const who = await house.resident(second);
        const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
        const bound = { response_type: 'code', code_challenge: sha256(verifier), code_challenge_method: 'S256' };
        const ask = (fields: Record<string, string>) => house.direct.form('/oauth2/authorization-challenge', fields);
        const first = await ask({ ...bound, username: who.login, password: who.password });
        expect(first.body)
          .to.deep.include({ challenges: [fieldOf[second]] })
          .and.not.have.property('authorization_code');
        expect(await house.server.app.domains.sessions.list(who.account.id)).to.deep.equal([]);
        const auth_session = textOf(first.body, 'auth_session');
        const prepared = second === 'app' ? first : await ask({ auth_session, challenge: fieldOf[second] });
        const done = await ask({ auth_session, ...(await fieldFor(who, prepared)) });
        expect(done.status, JSON.stringify(done.body)).to.equal(200);
        const tokens = await house.direct.form('/oauth2/token', {
          grant_type: 'authorization_code',
          code: textOf(done.body, 'authorization_code'),
          code_verifier: verifier,
        });
        expectTold(decodeJwt(textOf(tokens.body, 'id_token')), who, afterPassword[second]);
      });

      it('a reset by JSON gives no token', async () => {
        const who = await house.resident(second);
        const { direct } = house;
        await direct.post('password/forgot', { username: who.login, client_id: undefined });
        const token = await house.mailed(who, /reset-password\?token=([\w-]+)/);
        const password = goodPassword();
        const reset = await direct.post('password/reset', { token, password, client_id: undefined });
        expect([reset.status, reset.body]).to.deep.equal([204, {}]);
        expect((await direct.login({ ...who, password })).body).to.include({ requires_2fa: true });
        expect(await house.server.app.domains.sessions.list(who.account.id)).to.deep.equal([]);
      });
    });
  }

  const fieldOf = { nothing: 'email_code', app: 'otp', passkey: 'passkey' } as const;

  /** What the person shows at `auth/login/2fa`. */
  async function shownAt(direct: House['direct'], who: Resident, challenge: { challenge_id: string }) {
    if (who.second === 'app') return { code: await who.code?.() };
    if (who.second === 'nothing') return { method: 'email', code: await house.mailed(who, /^(\d{8})$/m) };
    const { body } = await direct.post('login/2fa/passkey', challenge);
    return { method: 'passkey', response: who.key?.get(body.options as RequestOptions, { verified: false }) };
  }

  /** The same, as a field of the challenge endpoint. */
  async function fieldFor(who: Resident, { body }: Reply): Promise<Record<string, string>> {
    if (who.second === 'app') return { otp: (await who.code?.()) ?? '' };
    if (who.second === 'nothing') return { email_code: await house.mailed(who, /^(\d{8})$/m) };
    const response = who.key?.get(body.passkey_options as RequestOptions, { verified: false });
    return { passkey: JSON.stringify(response) };
  }

  it('a passkey that did not check the person asks for the password; with both it is two factors', async () => {
    const who = await house.resident('passkey');
    const visit = await house.visit();
    const page = expectPage(await house.showPasskey(visit, who.key, false), 'login');
    await house.expectNobody({ web: visit.web, page });
    const back = await signIn(visit.web, page, who);
    expectTold(await house.told(back.url, visit.attempt), who, afterPassword.passkey);
  });

  it('a passkey that did not check the person is no way past an authenticator app and the password', async () => {
    const who = await house.equip(await house.resident('app'), 'passkey');
    const visit = await house.visit();
    const page = expectPage(await house.showPasskey(visit, who.key, false), 'login');
    const other = await house.resident('nothing');
    const wrong = await visit.web.submit(page, { username: who.login, password: other.password, action: 'continue' });
    await house.expectNobody({ web: visit.web, page: expectPage(wrong, 'login') });
  });

  it('a recovery link for a lost password takes a code and signs nobody in', async () => {
    const who = await house.resident('app');
    await house.server.app.domains.recovery.issueLink(who.account.id, { kind: 'operator' }, { lost: 'password' });
    const visit = await house.visit();
    const path = await house.mailed(who, /(\/account\/recover\?token=[\w-]+)/);
    const page = expectPage(await visit.web.open(path), 'recover');
    const password = goodPassword();
    const fields = { 'new-password': password, action: 'continue' };
    const wrong = expectPage(await visit.web.submit(page, { ...fields, code: '000000' }, 'code'), 'recover');
    expect(wrong.status).to.equal(422);
    const [backup = ''] = await house.server.app.domains.credentials.backupCodes.create(who.account.id);
    const done = await visit.web.submit(wrong, { ...fields, code: backup }, 'code');
    expect(done.text).to.include('new password is set');
    await house.expectNobody({ web: visit.web, page: done });
    const again = await house.visit(visit.web);
    const next = await signInAfterChange(again.web, again.page, { ...who, password });
    await expectSecondDoor({ ...again, page: next }, who, afterPassword.app);
  });

  for (const second of ['app', 'passkey'] as const) {
    it(`a recovery link for a lost ${second} takes the password, and signs nobody in`, async () => {
      const who = await house.resident(second);
      const removes = second === 'app' ? (['authenticator'] as const) : (['passkeys'] as const);
      await house.server.app.domains.recovery.issueLink(who.account.id, { kind: 'operator' }, { removes });
      const web = new WebClient(house.server.url);
      const path = await house.mailed(who, /(\/account\/recover\?token=[\w-]+)/);
      const page = expectPage(await web.open(path), 'recover');
      const wrong = await web.submit(page, { password: 'wrong', action: 'continue' }, 'password');
      await house.expectNobody({ web, page: expectPage(wrong, 'recover') });
      expectPage((await byPassword(who)).page, second === 'app' ? 'totp' : 'passkey');
      const done = await web.submit(wrong, { password: who.password, action: 'continue' }, 'password');
      expect(done.text).to.include('is yours again');
      await house.expectNobody({ web, page: done });
      const again = await house.visit(web);
      const next = await signInAfterChange(again.web, again.page, who);
      await expectSecondDoor({ ...again, page: next }, { ...who, second: 'nothing' }, afterPassword.nothing);
    });
  }

  it('a password that is short beside a passkey never opens alone, and has to go with the passkey', async () => {
    const who = await house.resident('passkey');
    const { recovery, credentials } = house.server.app.domains;
    const visit = await house.visit();
    const form = expectPage(await visit.web.open('/account/forgot-password'), 'forgot-password');
    await visit.web.submit(form, { username: who.login, action: 'continue' }, 'username');
    const reset = await visit.web.open(await house.mailed(who, /(\/account\/reset-password\?token=[\w-]+)/));
    const password = `k7 ${goodPassword().slice(-9)}`;
    const done = await visit.web.submit(reset, { 'new-password': password, action: 'continue' }, 'new-password');
    expect(done.status, done.text.slice(0, 2000)).to.equal(200);
    expect(await credentials.verifyPassword(who.account.id, password)).to.equal(true);
    await house.expectNobody(await byPassword({ ...who, password }));

    await recovery.issueLink(who.account.id, { kind: 'operator' }, { removes: ['passkeys'] });
    const path = await house.mailed(who, /(\/account\/recover\?token=[\w-]+)/);
    await follow(visit.web, path, { password });
    const again = await house.visit(visit.web);
    const next = await signInAfterChange(again.web, again.page, { ...who, password });
    const alone = await house.pass({ ...again, page: next }, { ...who, second: 'nothing' });
    await house.expectNobody({ web: again.web, page: expectPage(alone, 'change-password') });
    const same = await again.web.submit(alone, { 'new-password': `${password}x`, action: 'continue' }, 'new-password');
    expect(expectPage(same, 'change-password').status).to.equal(422);
  });
});
