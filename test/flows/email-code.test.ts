import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

async function start(env: Record<string, string>) {
  const server = await startApp({
    SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
    SALLYPORT_LIMIT_MAIL_REQUESTS: '10000',
    ...env,
  });
  const metadata = { redirect_uris: [callback] };
  const { client } = await createClient(server, { kind: 'spa', firstParty: true, metadata });
  const about = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback };
  return { server, app: await RelyingParty.discover(about) };
}

const mails = async ({ app }: RunningApp, { account }: Person): Promise<string[]> =>
  (await app.domains.notifications.list(100))
    .filter(({ to }) => to === account.email)
    .map(({ content }) => content?.text ?? '');

const codeIn = (text: string | undefined): string => /^(\d{8})$/m.exec(text ?? '')?.[1] ?? '';
const other = (code: string): string => (code === '00000000' ? '11111111' : '00000000');

describe('a mailed code as the second step', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    ({ server, app } = await start({ SALLYPORT_EMAIL_STEP: 'no-other-factor' }));
  });
  after(() => server[Symbol.asyncDispose]());

  const enter = async (person: Person, parameters: Record<string, string> = {}) => {
    const web = new WebClient(server.url);
    const attempt = await app.request(parameters);
    return { web, attempt, page: await signIn(web, await web.open(attempt.url), person) };
  };
  const answer = (web: WebClient, page: Page, code: string): Promise<Page> =>
    web.submit(page, { code, action: 'continue' }, 'code');

  it('comes once, opens once, and is not called a second factor', async () => {
    const person = await createPerson(server);
    const { web, attempt, page } = await enter(person);
    expectPage(page, 'email-code');
    const again = expectPage(await web.open(page.url), 'email-code');
    const sent = await mails(server, person);
    expect(sent).to.have.length(1);
    const code = codeIn(sent[0]);
    expect(expectPage(await answer(web, again, other(code)), 'email-code').status).to.equal(422);
    const claims = (await app.redeem((await answer(web, page, code)).url, attempt)).claims();
    expect(claims?.acr).to.equal('aal1');
    expect(claims?.amr).to.have.members(['pwd', 'email']);
    const next = await enter(person);
    expectPage(await answer(next.web, expectPage(next.page, 'email-code'), code), 'email-code');
  });

  it('is enough for whoever has nothing better, until they have', async () => {
    const person = await createPerson(server);
    const { web, page } = await enter(person);
    const [mail] = await mails(server, person);
    await answer(web, expectPage(page, 'email-code'), codeIn(mail));
    const silently = async () => (await web.open((await app.request({ prompt: 'none' })).url)).url.searchParams;
    expect((await silently()).has('code')).to.equal(true);
    await enrolTotp(server, person.account.id, person.login);
    expect((await silently()).get('error')).to.equal('login_required');
  });

  it('belongs to one sign-in: read to somebody else it opens nothing', async () => {
    const person = await createPerson(server);
    const [mine, theirs] = [await enter(person), await enter(person)];
    const sent = (await mails(server, person)).map(codeIn);
    expect(sent).to.have.length(2);
    for (const code of sent) {
      const end = await answer(theirs.web, theirs.page, code);
      if (end.url.origin === server.url) continue;
      expectPage(await answer(mine.web, mine.page, code), 'email-code');
    }
  });

  it('is not for somebody who has something better, and no answer to a demand of two factors', async () => {
    const person = await createPerson(server);
    // A demand is no way around it: the mailbox first, and then something that meets the demand.
    const demanded = await enter(person, { acr_values: 'aal2' });
    const [code] = (await mails(server, person)).map(codeIn);
    expectPage(await answer(demanded.web, expectPage(demanded.page, 'email-code'), code ?? ''), 'enroll-totp');
    await enrolTotp(server, person.account.id, person.login);
    const { web, page } = await enter(person);
    expectPage(page, 'totp');
    expect(page.text).to.not.include('email-code');
    expectPage(await web.open(page.url.pathname.replace('second-factor', 'email-code')), 'totp');
    expect((await mails(server, person)).map(codeIn).filter((one) => one !== '')).to.deep.equal([code]);
  });

  it('ends after five wrong ones', async () => {
    const person = await createPerson(server);
    const { web, page } = await enter(person);
    let current = page;
    for (let tries = 0; tries < 100 && current.name === 'email-code'; tries += 1) {
      current = await answer(web, current, '12345678');
      if (current.status === 429) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expectPage(current, 'login');
    const code = codeIn((await mails(server, person))[0]);
    expectPage(await answer(web, page, code), 'login');
  });
});

for (const kind of ['code', 'link'] as const) {
  describe(`signing in with a mailed ${kind}`, () => {
    let server: RunningApp;
    let app: RelyingParty;

    before(async () => {
      ({ server, app } = await start({ SALLYPORT_EMAIL_SIGN_IN: kind }));
    });
    after(() => server[Symbol.asyncDispose]());

    const ask = async (username: string) => {
      const web = new WebClient(server.url);
      const attempt = await app.request();
      const login = expectPage(await web.open(attempt.url), 'login');
      const href = /href="(\/sign-in\/[\w-]+\/email)"/.exec(login.text)?.[1] ?? '';
      const form = expectPage(await web.open(href), 'email-sign-in');
      const sent = await web.submit(form, { username, action: 'continue' }, 'username');
      return { web, attempt, href, sent: expectPage(sent, 'email-sign-in') };
    };
    const tokenIn = (text: string | undefined): string => /token=([\w-]{43})/.exec(text ?? '')?.[1] ?? '';
    const submit = (web: WebClient, page: Page, fields: Record<string, string>): Promise<Page> =>
      web.submit(page, { action: 'continue', ...fields }, 'csrf', 'action');
    /** Uses what was mailed in this browser's sign-in. */
    const use = async (web: WebClient, page: Page, href: string, text: string | undefined): Promise<Page> => {
      if (kind === 'code') return submit(web, page, { code: codeIn(text) });
      return submit(web, expectPage(await web.open(`${href}?token=${tokenIn(text)}`), 'email-sign-in'), {});
    };

    it('is one factor, works once, and leaves the second factor where it is', async () => {
      const person = await createPerson(server);
      const { web, attempt, href, sent } = await ask(person.login);
      const [mail] = await mails(server, person);
      const claims = (await app.redeem((await use(web, sent, href, mail)).url, attempt)).claims();
      expect(claims).to.include({ sub: person.account.id, acr: 'aal1' });
      expect(claims?.amr).to.deep.equal(['email']);
      const next = await ask(person.account.email);
      const again = await use(next.web, next.sent, next.href, mail);
      expect(expectPage(again, 'email-sign-in').status).to.equal(422);

      const { code } = await enrolTotp(server, person.account.id, person.login);
      const strong = await ask(person.login);
      const [newest] = await mails(server, person);
      const door = expectPage(await use(strong.web, strong.sent, strong.href, newest), 'totp');
      const thief = new WebClient(server.url);
      for (const [name, value] of strong.web.cookies()) thief.setCookie(name, value);
      const silent = await thief.open((await app.request({ prompt: 'none' })).url);
      expect(silent.url.searchParams.get('error'), 'nobody is signed in yet').to.equal('login_required');
      const back = await strong.web.submit(door, { code: await code(), action: 'continue' }, 'code');
      const both = (await app.redeem(back.url, strong.attempt)).claims();
      expect(both?.acr, 'a mailbox makes no two factors').to.equal('aal1');
      expect(both?.amr).to.have.members(['email', 'otp']);
    });

    it('tells nobody who has an account, and mails to nobody else', async () => {
      const person = await createPerson(server);
      const plain = ({ text }: Page, name: string): string =>
        text.replaceAll(name, '').replace(/value="[^"]*"|data-request="[^"]*"|req_\w+/g, '');
      const known = await ask(person.login);
      const unknown = await ask(`x${person.login}`);
      expect(plain(known.sent, person.login)).to.equal(plain(unknown.sent, `x${person.login}`));
      const wrong = { code: '00000000', token: 'a'.repeat(43) };
      const field = kind === 'code' ? { code: wrong.code } : { token: wrong.token };
      const [left, right] = [
        await submit(known.web, known.sent, field),
        await submit(unknown.web, unknown.sent, field),
      ];
      expect(plain(left, person.login)).to.equal(plain(right, `x${person.login}`));
      for (let more = 0; more < 8; more += 1) {
        const statuses = [];
        for (const { web, sent } of [known, unknown]) {
          const page = await submit(web, sent, {
            action: 'resend',
            username: sent === known.sent ? person.login : `x${person.login}`,
          });
          statuses.push(page.status);
        }
        expect(statuses[0], `mail ${more}`).to.equal(statuses[1]);
      }
      expect((await mails(server, person)).length).to.be.at.most(5);
    });

    it('is of no use in another browser', async () => {
      const person = await createPerson(server);
      await ask(person.login);
      const [mail] = await mails(server, person);
      const thief = await ask(`nobody-${person.login}`);
      expect((await use(thief.web, thief.sent, thief.href, mail)).url.origin).to.equal(server.url);
      const plain = new WebClient(server.url);
      expect((await plain.open(`${thief.href}?token=${tokenIn(mail)}`)).name).to.equal('error');
    });
  });
}
