import { expect } from 'chai';
import { type OtherOriginApp, openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson, type Person } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { enterPassword, sharedServer, type Visitor, visit } from '../support/visitor.ts';

describe('a sign-in in a browser that does not go straight on', function () {
  this.timeout(60_000);
  let server: RunningApp;
  let app: OtherOriginApp;
  let person: Person;

  before(async () => {
    server = await sharedServer();
    app = await openOtherOriginApp(server);
    person = await createPerson(server);
  });
  after(() => app?.[Symbol.asyncDispose]());

  const visitApp = (walk: (visitor: Visitor) => Promise<void>): Promise<void> =>
    visit(server, { origins: [app.origin] }, walk);

  /** The error page: on the issuer, with a reference, and never a way to where the request wanted to go. */
  const expectErrorPage = async ({ page, at, text }: Visitor, title: RegExp): Promise<void> => {
    await at('error');
    expect(new URL(page.url()).origin).to.equal(server.url);
    expect(await text('h1')).to.match(title);
    expect(await page.title()).to.match(title);
    expect(await text('#reference')).to.match(/^req_\w+$/);
    expect(await page.content()).to.not.include('evil.example');
  };

  const request = (change: Record<string, string>): string => {
    const parameters = {
      client_id: app.client.id,
      redirect_uri: `${app.origin}/callback`,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      ...change,
    };
    return `${server.url}/oauth2/authorize?${new URLSearchParams(parameters)}`;
  };

  it('stays here when the address of the app is not registered', async () => {
    await visitApp(async (visitor) => {
      const answer = await visitor.page.goto(request({ redirect_uri: 'https://evil.example/callback' }));
      expect(answer?.status()).to.equal(400);
      await expectErrorPage(visitor, /set up wrongly/);
    });
  });

  it('stays here when the app is not known', async () => {
    await visitApp(async (visitor) => {
      const answer = await visitor.page.goto(
        request({ client_id: 'nobody', redirect_uri: 'https://evil.example/callback' }),
      );
      expect(answer?.status()).to.equal(400);
      await expectErrorPage(visitor, /not known here/);
    });
  });

  it('says that a sign-in which nobody began here has expired', async () => {
    await visitApp(async (visitor) => {
      const answer = await visitor.page.goto(`${server.url}/sign-in/unknown/login`);
      expect(answer?.status()).to.equal(410);
      await expectErrorPage(visitor, /expired/);
      await visitor.page.goto(`${server.url}/oauth2/authorize/unknown`);
      await expectErrorPage(visitor, /expired/);
    });
  });

  it('says that a sign-in which took too long has expired, and starts anew from the app', async () => {
    await visitApp(async (visitor) => {
      const { page, at, submit } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await at('login');
      const past = { expires_at: new Date(Date.now() - 1000) };
      expect(await server.app.database.sql('artifact').where({ kind: 'Interaction' }).update(past)).to.be.at.least(1);
      const answer = await submit({ username: person.login, password: person.password });
      expect(answer.status()).to.equal(410);
      await expectErrorPage(visitor, /expired/);
      await page.goto(`${app.origin}/sign-in?prompt=consent`);
      await enterPassword(visitor, person);
      await at('consent');
    });
  });

  it('finishes two sign-ins of one browser, the second first', async () => {
    await visitApp(async (visitor) => {
      const { page, context, at, submit } = visitor;
      const tab = await context.newPage();
      for (const each of [page, tab]) await each.goto(`${app.origin}/sign-in?scope=openid+email`);
      await enterPassword(visitor, person, tab);
      await at('consent', tab);
      await submit({}, 'continue', tab);
      await at('app-in', tab);
      await enterPassword(visitor, person);
      await at('app-in');
      await page.goto(`${app.origin}/sign-in?prompt=none`);
      await at('app-in');
    });
    expect(app.answers.slice(-3).map(({ claims }) => claims?.sub)).to.deep.equal(Array(3).fill(person.account.id));
  });

  it('takes a form for one when its answer was lost and it is sent again', async () => {
    await visitApp(async ({ page, context, at }) => {
      const lost = new Set<string>();
      await context.route('**/sign-in/**', async (route) => {
        const url = route.request().url();
        if (route.request().method() !== 'POST' || lost.has(url)) return route.continue();
        lost.add(url);
        await route.fetch({ maxRedirects: 0 });
        // The browser stays on the page, as when somebody presses Stop.
        await route.abort('aborted');
      });
      const pressTwice = async (): Promise<void> => {
        const press = () => page.locator('button[value=continue]').click({ noWaitAfter: true });
        const failed = page.waitForEvent('requestfailed');
        await press();
        await failed;
        // After ten seconds the page itself lets the form be sent again.
        await page.evaluate('document.querySelectorAll("[aria-busy]").forEach((busy) => { busy.ariaBusy = null; })');
        await press();
      };
      await page.goto(`${app.origin}/sign-in?prompt=consent`);
      await at('login');
      await page.locator('[name=username]').fill(person.login);
      await page.locator('[name=password]').fill(person.password);
      await pressTwice();
      await at('consent');
      await pressTwice();
      await at('app-in');
      expect([...lost].map((url) => url.split('/').slice(5).join('/'))).to.deep.equal(['', 'consent']);
    });
  });

  it('says what happened when the very same sign-in was finished in another tab', async () => {
    await visitApp(async (visitor) => {
      const { page, context, at, submit } = visitor;
      const tab = await context.newPage();
      await page.goto(`${app.origin}/sign-in?prompt=consent`);
      await at('login');
      await tab.goto(`${server.url}${await page.locator('#sign-in').getAttribute('action')}`);
      await enterPassword(visitor, person, tab);
      await at('consent', tab);
      await submit({}, 'continue', tab);
      await at('app-in', tab);
      const before = app.answers.length;
      await submit({ username: person.login, password: person.password });
      await expectErrorPage(visitor, /expired/);
      expect(app.answers).to.have.length(before);
    });
  });

  it('does nothing twice when somebody goes back, reloads, or opens a finished page again', async () => {
    await visitApp(async (visitor) => {
      const { page, at, submit } = visitor;
      await page.goto(`${app.origin}/sign-in?prompt=consent`);
      await enterPassword(visitor, person);
      await at('consent');
      const consentUrl = page.url();
      await submit({});
      await at('app-in');
      const answers = app.answers.length;
      await page.goBack();
      await expectErrorPage(visitor, /expired/);
      await page.reload();
      await expectErrorPage(visitor, /expired/);
      await page.goto(consentUrl);
      await expectErrorPage(visitor, /expired/);
      expect(app.answers).to.have.length(answers);
      await page.goto(`${app.origin}/sign-in?prompt=none`);
      await at('app-in');
    });
  });

  it('goes on where it was after a look back at a page that is done', async () => {
    await visitApp(async (visitor) => {
      const { page, at, submit } = visitor;
      await page.goto(`${app.origin}/sign-in?prompt=consent`);
      await enterPassword(visitor, person);
      await at('consent');
      const first = page.url();
      // Back is where the app asked, and whoever asks anew is signed in by now.
      await page.goBack();
      await at('consent');
      expect(page.url()).to.not.equal(first);
      await page.goForward();
      await at('consent');
      expect(page.url()).to.equal(first);
      await submit({});
      await at('app-in');
    });
  });

  it('shows the same answer when the answer to a post is loaded again', async () => {
    await visitApp(async (visitor) => {
      const { page, at, submit, text } = visitor;
      await page.goto(`${app.origin}/sign-in`);
      await at('login');
      await submit({ username: 'nobody-of-that-name', password: 'x' });
      await at('login');
      await page.reload();
      await at('login');
      expect(await page.title()).to.match(/^Error: /);
      expect(await text('[role=alert]')).to.include('do not match');
      await submit({ username: person.login, password: person.password });
      await at('app-in');
    });
  });

  it('tells a browser without cookies what to do', async () => {
    await visitApp(async ({ page, context, at, submit }) => {
      await page.goto(`${app.origin}/sign-in`);
      await at('login');
      await context.clearCookies();
      const answer = await submit({ username: person.login, password: person.password });
      expect(answer.status()).to.be.oneOf([403, 410]);
      await at('error');
    });
  });

  it('shows our page for an address that leads nowhere', async () => {
    await visitApp(async (visitor) => {
      expect((await visitor.page.goto(`${server.url}/no/such/page`))?.status()).to.equal(404);
      await visitor.at('error');
      expect(await visitor.text('h1')).to.match(/nothing here/);
      await visitor.page.getByRole('link', { name: 'Go to the front page' }).click();
      await visitor.at('home');
    });
  });
});
