import { expect } from 'chai';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { addAuthenticator } from '../support/authenticator.ts';
import { browser } from '../support/browser.ts';
import { type PasskeyServer, startPasskeyServer } from './page-server.ts';

describe('passkeys in the browser', function () {
  this.timeout(60_000);
  let server: PasskeyServer;
  let context: BrowserContext;
  let page: Page;
  let session: CDPSession;
  let authenticatorId: string;
  let errors: string[];

  beforeEach(async () => {
    server = await startPasskeyServer();
    context = await (await browser()).newContext();
    page = await context.newPage();
    errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    ({ session, authenticatorId } = await addAuthenticator(page));
  });

  afterEach(async () => {
    await context.close();
    await server[Symbol.asyncDispose]();
    expect(errors).to.deep.equal([]);
  });

  const press = (name: string) => page.getByRole('button', { name }).click();
  const title = async () => {
    await page.getByRole('heading', { name: /^(Done|Refused)$/ }).waitFor();
    return page.title();
  };
  /** The next line that a script of the test writes to the console, parsed, when it starts with this word. */
  const next = async (word: string) => {
    const message = await page.waitForEvent('console', (line) => line.text().startsWith(`${word} `));
    return JSON.parse(message.text().slice(word.length + 1)) as Record<string, unknown>;
  };
  const offersQuietly = () => page.evaluate('PublicKeyCredential.isConditionalMediationAvailable()');
  const add = async (): Promise<void> => {
    await page.goto(`${server.origin}/add`);
    await page.getByLabel('Name').fill('Key ring');
    await press('Add a passkey');
    expect(await title()).to.equal('Done');
  };
  const present = (enabled: boolean) =>
    session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });

  it('are added, and sign in without a name', async () => {
    await add();
    const [passkey] = await server.fixture.passkeys.list(server.owner.id);
    expect(passkey).to.deep.include({ name: 'Key ring', transports: ['internal'] });
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials[0]).to.include({ isResidentCredential: true, rpId: 'localhost' });
    await page.goto(`${server.origin}/sign-in`);
    expect(await page.getByText('or', { exact: true }).isVisible()).to.equal(true);
    await press('Use a passkey');
    expect(await title()).to.equal('Done');
    expect(server.results[1]).to.deep.include({
      accountId: server.owner.id,
      passkeyId: passkey?.id,
      userVerified: true,
    });
  });

  it('are told apart on one device, in words', async () => {
    await add();
    await page.goto(`${server.origin}/add`);
    await press('Add a passkey');
    await page.getByText('This device has a passkey for this account already.').waitFor();
    expect(await server.fixture.passkeys.countOf(server.owner.id)).to.equal(1);
    expect(await page.getByRole('button', { name: 'Add a passkey' }).getAttribute('aria-busy')).to.equal(null);
  });

  it('are refused when the person was not verified, and the page stays as it was', async () => {
    await add();
    await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.goto(`${server.origin}/sign-in`);
    await press('Use a passkey');
    await page.getByText('No passkey was used.').waitFor();
    await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await press('Use a passkey');
    expect(await title()).to.equal('Done');
  });

  it('get a new challenge when the page stayed open too long', async () => {
    await add();
    await page.goto(`${server.origin}/sign-in?old`);
    server.fixture.clock.advance(301);
    const fresh = page.waitForResponse(/\/fresh$/);
    await press('Use a passkey');
    await fresh;
    expect(await title()).to.equal('Done');
  });

  it('are offered without a click, which ends when the button is pressed', async function () {
    await page.goto(`${server.origin}/sign-in`);
    if (!(await offersQuietly())) this.skip();
    await add();
    await present(false);
    await page.addInitScript(`
      const real = navigator.credentials.get.bind(navigator.credentials);
      navigator.credentials.get = (options) => {
        const mode = options.mediation ?? 'modal';
        console.info('asked ' + JSON.stringify({ mode }));
        options.signal.addEventListener('abort', () => console.info('ended ' + JSON.stringify({ mode })));
        return real(options);
      };
    `);
    const first = next('asked');
    await page.goto(`${server.origin}/sign-in?quiet`);
    expect(await first).to.deep.equal({ mode: 'conditional' });
    await present(true);
    const [ended, second] = [next('ended'), next('asked')];
    await press('Use a passkey');
    expect(await ended).to.deep.equal({ mode: 'conditional' });
    expect(await second).to.deep.equal({ mode: 'modal' });
    expect(await title()).to.equal('Done');
  });

  it('sign in from the names that the browser offers', async function () {
    await page.goto(`${server.origin}/sign-in`);
    if (!(await offersQuietly())) this.skip();
    await add();
    await page.goto(`${server.origin}/sign-in?quiet`);
    expect(await title()).to.equal('Done');
  });

  it('are added without a click where the browser can, and nothing is said where it cannot', async () => {
    // The browser of the tests lacks this mode, so the ordinary one stands in behind the same call.
    await page.addInitScript(`
      const able = !location.search.includes('unable');
      PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: able });
      const real = navigator.credentials.create.bind(navigator.credentials);
      navigator.credentials.create = ({ mediation, ...options }) => {
        console.info('asked ' + JSON.stringify({ mediation }));
        return real(options);
      };
    `);
    await page.goto(`${server.origin}/add?quiet&unable`);
    await page.getByRole('button', { name: 'Add a passkey' }).waitFor();
    const asked = next('asked');
    await page.goto(`${server.origin}/add?quiet`);
    expect(await asked).to.deep.equal({ mediation: 'conditional' });
    expect(await title()).to.equal('Done');
    expect(await server.fixture.passkeys.countOf(server.owner.id)).to.equal(1);
    await page.goto(`${server.origin}/add?quiet`);
    await page.getByRole('button', { name: 'Add a passkey' }).waitFor();
    expect(await page.locator('[data-passkey-problem]:visible').count()).to.equal(0);
  });

  it('tell the browser what there is, and what nobody has', async () => {
    await page.addInitScript(`
      for (const name of ['signalUnknownCredential', 'signalAllAcceptedCredentials', 'signalCurrentUserDetails']) {
        const value = async (told) => console.info(name + ' ' + JSON.stringify(told));
        Object.defineProperty(PublicKeyCredential, name, { value });
      }
    `);
    const signals = [next('signalAllAcceptedCredentials'), next('signalCurrentUserDetails')];
    await add();
    const [accepted, details] = await Promise.all(signals);
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId });
    const id = Buffer.from(credentials[0]?.credentialId ?? '', 'base64').toString('base64url');
    expect(accepted).to.deep.include({ rpId: 'localhost', allAcceptedCredentialIds: [id] });
    expect(details).to.include({ userId: accepted?.userId, name: server.owner.email, displayName: 'Alex Doe' });
    await server.fixture.passkeys.removeAll(server.owner.id);
    await page.goto(`${server.origin}/sign-in`);
    const unknown = next('signalUnknownCredential');
    await press('Use a passkey');
    expect(await title()).to.equal('Refused');
    expect(await unknown).to.deep.equal({ rpId: 'localhost', credentialId: id });
  });

  it('leave a page without JavaScript as it is', async () => {
    const plain = await (await browser()).newContext({ javaScriptEnabled: false });
    const still = await plain.newPage();
    await still.goto(`${server.origin}/sign-in`);
    expect(await still.locator('[data-passkey]:visible, [data-passkey-problem]:visible').count()).to.equal(0);
    await still.getByLabel('Username').fill('alex');
    const posted = still.waitForRequest((request) => request.method() === 'POST');
    await still.getByRole('button', { name: 'Continue' }).click();
    expect((await posted).postData()).to.equal('username=alex&action=continue');
    await plain.close();
  });
});
