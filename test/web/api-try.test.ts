import { expect } from 'chai';
import { axe } from '../support/browser.ts';
import { createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { enterPassword, visit } from '../support/visitor.ts';

describe('the page to try the API', function () {
  this.timeout(60_000);
  let server: RunningApp;
  before(async () => {
    server = await startApp();
  });
  after(() => server[Symbol.asyncDispose]());

  const policyOf = async (path: string): Promise<string> =>
    (await fetch(`${server.url}${path}`)).headers.get('content-security-policy') ?? '';

  it('has the policy of every other page: no inline script or style, no evaluation, no other host', async () => {
    const own = await policyOf('/api/docs/try');
    expect(own).to.equal(await policyOf('/api/docs'));
    expect(own).to.include("script-src 'self';").and.include("style-src 'self';").and.include("default-src 'none'");
    expect(own).to.not.match(/unsafe|https?:|\*/);
  });

  it('serves exactly its own files', async () => {
    for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css', 'try.js', 'try.css']) {
      const answer = await fetch(`${server.url}/api/docs/try/${name}`);
      expect([answer.status, (await answer.text()).length > 100], name).to.deep.equal([200, true]);
      expect(answer.headers.get('content-type')).to.match(/^text\/(css|javascript)/);
      const plain = await fetch(`${server.url}/api/docs/try/${name}`, { headers: { 'accept-encoding': 'identity' } });
      expect(plain.headers.get('content-encoding')).to.equal(null);
      await plain.arrayBuffer();
    }
    for (const name of ['package.json', 'swagger-ui.js', '..%2fdocs.ejs', '%2e%2e/docs.ejs', 'absolute-path.js', '']) {
      const answer = await fetch(`${server.url}/api/docs/try/${name}`);
      expect(answer.status, name).to.equal(404);
      await answer.arrayBuffer();
    }
  });

  it('reads and changes the account of whoever is signed in to the browser', async function () {
    if (!process.env.TEST_BROWSER_READY) this.skip();
    const person = await createPerson(server);
    await visit(server, {}, async (visitor) => {
      const { page } = visitor;
      await page.goto(`${server.url}/account`);
      await enterPassword(visitor, person);
      await visitor.at('account-overview');
      await page.goto(`${server.url}/api/docs/try`);
      await page.locator('#operations-Account-updateMe').waitFor();
      expect(await axe(page)).to.deep.equal([]);
      // Its colours follow by a script, a moment after the browser's own.
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.locator('.dark-mode #swagger-ui').waitFor();
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal('rgb(24, 31, 29)');
      expect(await axe(page, ['color-contrast'])).to.deep.equal([]);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.locator('#operations-Account-updateMe .opblock-summary-control').click();
      const operation = page.locator('#operations-Account-updateMe');
      await operation.locator('button.try-out__btn').click();
      await operation.locator('tr[data-param-name="If-Match"] input').fill('*');
      await operation.locator('textarea.body-param__text').fill('{"nickname":"Tried"}');
      const answered = page.waitForResponse((response) => response.request().method() === 'PATCH');
      await operation.locator('button.execute').click();
      expect((await answered).status()).to.equal(200);
      await operation.locator('.live-responses-table').waitFor();
      await page.locator('section.models h4 button').click();
      await page.locator('section.models .json-schema-2020-12').first().waitFor();
      expect((await server.app.domains.accounts.find(person.account.id))?.profile.nickname).to.equal('Tried');
    });
  });
});
