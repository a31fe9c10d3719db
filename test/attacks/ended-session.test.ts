import { expect } from 'chai';
import * as oidc from 'openid-client';
import { goodPassword } from '../registration/fixture.ts';
import { createClient } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, type Page, signInBase, WebClient } from '../support/web-client.ts';
import { House, type Resident, type Second } from './house.ts';

/** Two addresses of one household, and one of somebody else. What was looked at from one is looked at again from another. */
const [home, nearby, away] = ['2001:db8:7:7::5', '2001:db8:7:7::6', '2001:db8:9:9::1'];
const operator = { kind: 'operator' } as const;

/** A thief has the cookie of a session that is stored and over. It must prove nothing on any page of a sign-in. */
for (const lane of fullestStoreLane()) {
  describe(`the cookie of a session that has ended, on ${lane.name}`, function () {
    this.timeout(60_000);
    const stack = new AsyncDisposableStack();
    let house: House;
    let third: RelyingParty;
    let impatient: RelyingParty;

    const appOf = async (name: string, input: Partial<Parameters<typeof createClient>[1]>): Promise<RelyingParty> => {
      const redirectUri = `https://${name}.example/callback`;
      const metadata = { redirect_uris: [redirectUri] };
      const { client } = await createClient(house.server, { kind: 'spa', metadata, ...input });
      return RelyingParty.discover({ issuer: house.server.url, clientId: client.id, auth: oidc.None(), redirectUri });
    };

    before(async () => {
      house = stack.use(
        await House.open({
          ...(await lane.env(stack)),
          SALLYPORT_EMAIL_STEP: 'off',
          SALLYPORT_TRUSTED_PROXIES: '127.0.0.1,::1',
          SALLYPORT_RISK: 'address-changed=end',
          SALLYPORT_SESSION_IDLE_SECONDS: '86400',
        }),
      );
      third = await appOf('third', {});
      impatient = await appOf('impatient', { firstParty: true, sessionIdleSeconds: 600 });
    });
    after(() => stack.disposeAsync());

    const enter = async (second: Second = 'nothing'): Promise<{ person: Resident; web: WebClient }> => {
      const person = await house.resident(second);
      const web = new WebClient(house.server.url, { 'x-forwarded-for': home });
      const attempt = await house.app.request();
      const page = await signIn(web, await web.open(attempt.url), person);
      if (second !== 'nothing') await house.pass({ web, attempt, page }, person);
      return { person, web };
    };
    /** The session's cookies at another address. */
    const at = (address: string, web: WebClient): WebClient => {
      const thief = new WebClient(house.server.url, { 'x-forwarded-for': address });
      for (const [name, value] of web.cookies()) if (/session/.test(name)) thief.setCookie(name, value);
      return thief;
    };
    const newPassword = async ({ account }: Resident, mustChange = false): Promise<void> => {
      const { credentials } = house.server.app.domains;
      await credentials.setPassword(account.id, goodPassword(), { actor: operator, mustChange });
      await secondOver();
    };
    const rest = ({ account }: Resident, minutes: number) =>
      house.server.app.database
        .sql('session')
        .where({ account_id: account.id })
        .update({ last_active_at: new Date(Date.now() - minutes * 60_000) });
    /** Every page of a sign-in by its address, whatever the chooser says. */
    const expectLogin = async (
      web: WebClient,
      request: Record<string, string> = {},
      app = house.app,
    ): Promise<void> => {
      for (const path of ['login', 'change-password', 'enroll', 'second-factor', 'consent', 'select-account']) {
        const { url } = await app.request({ prompt: 'select_account', scope: 'openid', ...request });
        const chooser = await web.open(url);
        expect(chooser.name).to.be.oneOf(['login', 'select-account']);
        // Where the session was ended by this very request, its interaction is over, too.
        const page = await web.open(`${signInBase(chooser)}/${path}`);
        if (page.status !== 410) expectPage(page, 'login');
      }
    };

    for (const second of ['nothing', 'app', 'passkey'] as const) {
      it(`chooses no password in the place of the operator's, whatever it was made with: ${second}`, async () => {
        const { person, web } = await enter(second);
        const armed = await web.open((await house.app.request({ prompt: 'select_account' })).url);
        await newPassword(person, true);
        expectPage(await web.open(`${signInBase(armed)}/change-password`), 'login');
        await expectLogin(web);
        await expectLogin(web, { acr_values: 'aal2' });
        const { totp, passkeys = 0 } = {
          ...(await house.server.app.domains.credentials.factorsOf(person.account.id)),
          passkeys: await house.server.app.domains.passkeys.countOf(person.account.id),
        };
        expect({ totp, passkeys }).to.deep.equal({ totp: second === 'app', passkeys: second === 'passkey' ? 1 : 0 });
      });
    }

    it('allows no app anything', async () => {
      for (const end of ['password', 'disabled'] as const) {
        const { person, web } = await enter();
        const asked = expectPage(await web.open((await third.request({ scope: 'openid email' })).url), 'consent');
        if (end === 'password') await newPassword(person);
        else await house.server.app.domains.accounts.disable(person.account.id, operator);
        expectPage(await web.submit(asked, { action: 'continue' }, 'action'), 'login');
        expect(await house.server.app.domains.consents.list(person.account.id)).to.deep.equal([]);
      }
    });

    it('shows nobody the address of its account', async () => {
      const { person, web } = await enter();
      const chooser = await web.open((await house.app.request({ prompt: 'select_account' })).url);
      expect(chooser.text).to.include(person.account.email);
      await house.server.app.domains.accounts.disable(person.account.id, operator);
      const { url } = await house.app.request({ prompt: 'select_account' });
      for (const page of [await web.open(url), await web.open(chooser.url)]) {
        expect(page.text).to.not.include(person.account.email);
      }
    });

    it('is worth nothing when it is used where that ends it', async () => {
      const { person, web } = await enter();
      await expectLogin(at(away, web));
      expect(await house.server.app.domains.sessions.list(person.account.id)).to.deep.equal([]);
    });

    it('is worth nothing after its time', async () => {
      const { person, web } = await enter();
      await rest(person, 2 * 24 * 60);
      await expectLogin(at(nearby, web));
    });

    it('does not go on where it opened a page before, when it is signed out from elsewhere', async () => {
      const { person, web } = await enter();
      const page = await web.open((await house.app.request({ acr_values: 'aal2' })).url);
      expectPage(page, 'enroll-totp');
      const { sessions } = house.server.app.domains;
      for (const { id } of await sessions.list(person.account.id)) await sessions.end(id, operator, 'signed-out');
      await secondOver();
      const after: Page = await web.open(page.url);
      if (after.status !== 410) expectPage(after, 'login');
      expect((await house.server.app.domains.credentials.factorsOf(person.account.id)).totp).to.equal(false);
    });

    it('is too quiet for an app that says so, each time, and asking does not make it louder', async () => {
      for (let time = 0; time < 8; time += 1) {
        const { person, web } = await enter();
        await rest(person, 11);
        const { url } = await impatient.request();
        expectPage(await web.open(url), 'login');
        expectPage(await web.open(url), 'login');
        await expectLogin(web, {}, impatient);
        expect((await web.open((await house.app.request()).url)).url.searchParams.has('code')).to.equal(true);
      }
    });
  });
}
