import { expect } from 'chai';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, signInBase, WebClient } from '../support/web-client.ts';
import { House } from './house.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object): string => `${encode({ alg: 'ES256' })}.${encode(claims)}.c2ln`;

/** What nobody has verified yet is looked up all the same, so a database sees what stands in it. */
for (const lane of fullestStoreLane()) {
  describe(`claims that no database takes, on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let house: House;
    before(async () => {
      house = stack.use(await House.open({ ...(await lane.env(stack)), SALLYPORT_EMAIL_SIGN_IN: 'code' }));
    });
    after(() => stack.disposeAsync());

    it('are no client', async () => {
      const { url } = house.server;
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: 'a\0b', sub: 'a\0b', aud: url, jti: 'x', iat: now, exp: now + 60 };
      const fields = {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: jwt(claims),
      };
      for (const path of ['token', 'introspect', 'revoke', 'par', 'device', 'authorization-challenge']) {
        const body = new URLSearchParams({ grant_type: 'client_credentials', token: 'x', ...fields });
        const { status } = await fetch(`${url}/oauth2/${path}`, { method: 'POST', body });
        expect(status, path).to.be.within(400, 499);
      }
      const forms = {
        login: { username: 'x', password: 'y' },
        refresh: { refresh_token: 'x' },
        verify: { token: 'x' },
      };
      for (const [path, form] of Object.entries(forms)) {
        const { status } = await fetch(`${url}/api/v1/auth/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...fields, ...form }),
        });
        expect(status, path).to.be.within(400, 499);
      }
      const hint = jwt({ iss: url, sub: 'x', aud: 'a\0b' });
      for (const address of [
        `${url}/oauth2/logout?id_token_hint=${hint}`,
        `${(await house.app.request()).url}&id_token_hint=${hint}`,
      ]) {
        expect((await fetch(address, { redirect: 'manual' })).status, address).to.be.below(500);
      }
    });

    it('are no account', async () => {
      for (const value of ['\ud800', '\u0001', 'x'.repeat(5_000), { a: 1 }, 123, ['x']]) {
        const claims = JSON.stringify({ id_token: { sub: { value } } });
        const web = new WebClient(house.server.url);
        const page = await web.open((await house.app.request({ claims })).url);
        if (page.status !== 200) {
          expect(page.status, claims.slice(0, 60)).to.be.below(500);
          continue;
        }
        const { login } = await house.resident('nothing');
        const form = expectPage(await web.open(`${signInBase(page)}/email`), 'email-sign-in');
        const sent = await web.submit(form, { username: login, action: 'continue' }, 'username');
        expect(sent.status, claims.slice(0, 60)).to.be.below(500);
      }
    });
  });
}
