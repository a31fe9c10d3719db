import { expect } from 'chai';
import * as oidc from 'openid-client';
import { openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { RelyingParty } from '../support/relying-party.ts';
import type { RunningApp } from '../support/start-app.ts';
import { enterPassword, goOn, sharedServer, visit } from '../support/visitor.ts';
import { WebClient } from '../support/web-client.ts';

describe('choosing in a browser who goes in, and what the app gets', function () {
  this.timeout(60_000);
  let server: RunningApp;

  before(async () => {
    server = await sharedServer();
  });

  const answers = async (app: Awaited<ReturnType<typeof openOtherOriginApp>>, cookies: Map<string, string>) => {
    const web = new WebClient(server.url);
    for (const [name, value] of cookies) web.setCookie(name, value);
    const party = await RelyingParty.discover({
      issuer: server.url,
      clientId: app.client.id,
      auth: oidc.None(),
      redirectUri: `${app.origin}/callback`,
    });
    const end = await web.open((await party.request({ prompt: 'none' })).url);
    return end.url.searchParams;
  };

  it('says what the app gets and where the answer goes, and lets the person say no', async () => {
    await using app = await openOtherOriginApp(server);
    const person = await createPerson(server);
    await visit(server, { origins: [app.origin] }, async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in?scope=openid+profile+email+offline_access&prompt=consent`);
      await enterPassword(visitor, person);
      await at('consent');
      const said = await text('main');
      for (const part of [
        app.client.name,
        new URL(app.origin).host,
        person.account.email,
        'Known app',
        'while you are away',
      ])
        expect(said).to.include(part);
      await submit({}, 'deny');
      await at('app-refused');
      expect(await text('#text')).to.equal('access_denied');
    });
    expect(app.answers).to.have.length(1);
    expect(app.answers[0]?.parameters.get('iss')).to.equal(server.url);
  });

  for (const javaScript of [true, false]) {
    it(`lets another person sign in after "Not you?", and ends the session of the first, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      await using app = await openOtherOriginApp(server);
      await using ownApp = await openOtherOriginApp(server, { firstParty: true });
      const [first, second] = [await createPerson(server), await createPerson(server)];
      const { code } = await enrolTotp(server, second.account.id, second.login);
      await visit(server, { origins: [app.origin, ownApp.origin], javaScript }, async (visitor) => {
        const { page, context, at, submit, text } = visitor;
        await page.goto(`${ownApp.origin}/sign-in`);
        await enterPassword(visitor, first);
        await at('app-in');
        const cookies = new Map((await context.cookies(server.url)).map(({ name, value }) => [name, value]));
        expect((await answers(ownApp, cookies)).get('code'), 'the session of the first').to.be.a('string');

        await page.goto(`${app.origin}/sign-in`);
        await at('consent');
        expect(await text('main')).to.include(first.account.email);
        await submit({}, 'restart');
        await enterPassword(visitor, second);
        await at('totp');
        await submit({ code: await code() });
        if (!javaScript) await goOn(visitor);
        await at('consent');
        expect(await text('main')).to.include(second.account.email);
        await submit({});
        await at('app-in');
        expect(await text('#text')).to.equal(second.account.id);

        expect((await answers(ownApp, cookies)).get('error')).to.equal('login_required');
        await page.goto(`${ownApp.origin}/sign-in?prompt=none`);
        await at('app-in');
        expect(await text('#text')).to.equal(second.account.id);
      });
    });
  }

  it('survives the back button while the accounts change', async () => {
    await using app = await openOtherOriginApp(server);
    const [first, second] = [await createPerson(server), await createPerson(server)];
    await visit(server, { origins: [app.origin], javaScript: false }, async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await enterPassword(visitor, first);
      await at('consent');
      await submit({}, 'restart');
      await enterPassword(visitor, second);
      const answer = await page.goBack();
      expect(answer?.status()).to.equal(200);
      await page.locator('button[type=submit]').first().click();
      await at('consent');
      expect(await text('main')).to.include(second.account.email);
    });
  });

  it('offers the account that is signed in, and goes on with it', async () => {
    await using app = await openOtherOriginApp(server, { firstParty: true });
    const person = await createPerson(server);
    await visit(server, { origins: [app.origin] }, async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await enterPassword(visitor, person);
      await at('app-in');
      await page.goto(`${app.origin}/sign-in?prompt=select_account`);
      await at('select-account');
      expect(await text('label.choice')).to.include(person.account.email);
      await submit({});
      await at('app-in');
    });
    expect(app.answers.map(({ claims }) => claims?.sub)).to.deep.equal([person.account.id, person.account.id]);
  });

  it('lets another account sign in from the chooser, and leads back to the app from it', async () => {
    await using app = await openOtherOriginApp(server, { firstParty: true });
    const [first, second] = [await createPerson(server), await createPerson(server)];
    await visit(server, { origins: [app.origin] }, async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await enterPassword(visitor, first);
      await at('app-in');
      await page.goto(`${app.origin}/sign-in?prompt=select_account`);
      await at('select-account');
      await submit({}, 'cancel');
      await at('app-refused');
      await page.goto(`${app.origin}/sign-in?prompt=select_account`);
      await at('select-account');
      await submit({}, 'restart');
      await enterPassword(visitor, second);
      await at('app-in');
      expect(await text('#text')).to.equal(second.account.id);
    });
  });
});
