import { expect } from 'chai';
import { openOtherOriginApp } from '../support/other-origin-app.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { sharedServer, tabTo, type Visitor, visit } from '../support/visitor.ts';

describe('signing in with a browser, for an app on another origin', function () {
  this.timeout(60_000);
  let server: RunningApp;

  before(async () => {
    server = await sharedServer();
  });

  const enrolled = async (): Promise<Person & Awaited<ReturnType<typeof enrolTotp>>> => {
    const person = await createPerson(server);
    return { ...person, ...(await enrolTotp(server, person.account.id, person.login)) };
  };

  /** Password, code, consent: with the keyboard and nothing else. */
  async function walkByKeyboard({ page, at }: Visitor, person: Awaited<ReturnType<typeof enrolled>>): Promise<void> {
    await at('login');
    await page.keyboard.type(person.login);
    await tabTo(page, '#password');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    await at('totp');
    await page.keyboard.type(await person.code());
    await page.keyboard.press('Enter');
    await at('consent');
    await tabTo(page, 'button[value=continue]');
    await page.keyboard.press('Enter');
    await at('app-in');
  }

  for (const javaScript of [true, false]) {
    it(`goes from the app through both doors and consent back to the app by keyboard, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      await using app = await openOtherOriginApp(server);
      const person = await enrolled();
      await visit(server, { origins: [app.origin], javaScript }, async (visitor) => {
        const { page } = visitor;
        await page.goto(`${app.origin}/sign-in?scope=${encodeURIComponent('openid profile email')}`);
        await walkByKeyboard(visitor, person);
        expect(new URL(page.url()).origin).to.equal(app.origin);
        expect(new URL(page.url()).searchParams.get('code')).to.be.a('string');
        expect(await page.locator('#text').textContent()).to.equal(person.account.id);
      });
      expect(app.answers).to.have.length(1);
      expect(app.answers[0]?.parameters.get('iss')).to.equal(server.url);
      expect(app.answers[0]?.claims).to.include({ sub: person.account.id, acr: 'aal2' });
      expect(app.answers[0]?.claims?.amr).to.have.members(['pwd', 'otp', 'mfa']);
    });
  }
});
