import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { type OtherOriginApp, openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { enterPassword, goOn, sharedServer, type Visitor, visit } from '../support/visitor.ts';

describe('signing out with a browser', function () {
  this.timeout(60_000);
  let server: RunningApp;
  let app: OtherOriginApp;

  before(async () => {
    server = await sharedServer();
    app = await openOtherOriginApp(server, { firstParty: true });
  });
  after(() => app?.[Symbol.asyncDispose]());

  /** A visit that begins signed in. */
  const signedIn = (walk: (visitor: Visitor) => Promise<void>, javaScript = true): Promise<void> =>
    visit(server, { origins: [app.origin], javaScript }, async (visitor) => {
      await visitor.page.goto(`${app.origin}/sign-in`);
      await enterPassword(visitor, await createPerson(server));
      await visitor.at('app-in');
      await walk(visitor);
    });
  const isAskedAgain = async ({ page, at }: Visitor): Promise<Page> => {
    await page.goto(`${app.origin}/sign-in`);
    return at('login');
  };
  const bye = (): string => `post_logout_redirect_uri=${encodeURIComponent(`${app.origin}/bye`)}`;

  for (const javaScript of [true, false]) {
    it(`asks, ends the session and goes back to the app, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      await signedIn(async (visitor) => {
        const { page, at, submit } = visitor;
        await page.goto(`${app.origin}/sign-out?${bye()}&state=s1`);
        await at('logout');
        await submit({});
        await at('app-bye');
        expect(new URL(page.url()).searchParams.get('state')).to.equal('s1');
        await isAskedAgain(visitor);
      }, javaScript);
    });
  }

  it('says that it is done when the app wants nobody back', async () => {
    await signedIn(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-out`);
      await at('logout');
      await submit({});
      await at('signed-out');
      expect(await text('h1')).to.equal('You are signed out');
      await isAskedAgain(visitor);
    });
  });

  it('leaves one app only, when that is what the person wants', async () => {
    await using other = await openOtherOriginApp(server, { firstParty: true });
    await visit(server, { origins: [app.origin, other.origin] }, async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await enterPassword(visitor, await createPerson(server));
      await at('app-in');
      await page.goto(`${app.origin}/sign-out`);
      await at('logout');
      await submit({}, 'cancel');
      await at('signed-out');
      expect(await text('h1')).to.equal(`You have left ${app.client.name}`);
      await page.goto(`${other.origin}/sign-in?prompt=none`);
      await at('app-in');
    });
  });

  it('works without an app, and stays signed in when that is chosen', async () => {
    await signedIn(async (visitor) => {
      const { page, at, submit } = visitor;
      await page.goto(`${server.url}/oauth2/logout`);
      await at('logout');
      await page.getByRole('link', { name: 'Stay signed in' }).click();
      await at('account-overview');
      await page.goto(`${app.origin}/sign-in?prompt=none`);
      await at('app-in');
      await page.goto(`${server.url}/oauth2/logout`);
      await at('logout');
      await submit({});
      await at('signed-out');
      await isAskedAgain(visitor);
    });
  });

  for (const javaScript of [true, false]) {
    it(`has nothing to ask of somebody who is not signed in, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      await visit(server, { origins: [app.origin], javaScript }, async (visitor) => {
        const { page, at } = visitor;
        await page.goto(`${server.url}/oauth2/logout?client_id=${app.client.id}&${bye()}`);
        if (!javaScript) await goOn(visitor);
        await at('app-bye');
        await page.goto(`${server.url}/oauth2/logout`);
        if (!javaScript) await goOn(visitor);
        await at('signed-out');
      });
    });
  }

  it('does not go anywhere that the app has not registered', async () => {
    await signedIn(async ({ page, at }) => {
      await page.goto(`${app.origin}/sign-out?post_logout_redirect_uri=${encodeURIComponent('https://evil.example/')}`);
      await at('error');
      expect(new URL(page.url()).origin).to.equal(server.url);
    });
  });

  it('shows nothing of the account when the page before is opened again with the back button', async () => {
    await signedIn(async ({ page, at, submit }) => {
      await page.goto(`${app.origin}/sign-out`);
      await at('logout');
      await submit({});
      await at('signed-out');
      await page.goBack();
      await at('signed-out');
    });
  });
});
