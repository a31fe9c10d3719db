import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { openOtherOriginApp } from '../support/other-origin-app.ts';
import { createClient, createPerson, enrolTotp } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { enterPassword, sharedServer, visit } from '../support/visitor.ts';
import { readForm } from '../support/web-client.ts';

interface Cookie {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const readCookie = (line: string): Cookie => {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
  const attributes = rest.map((part): [string, string] => {
    const [name = '', value = ''] = part.split('=');
    return [name.toLowerCase(), value];
  });
  return { name: pair.split('=')[0] ?? '', attributes: new Map(attributes) };
};

describe('the cookies of the sign-in', function () {
  this.timeout(60_000);

  describe('on this machine', () => {
    it('are out of reach of scripts and of other sites, and go no further than they must', async () => {
      const server = await sharedServer();
      await using app = await openOtherOriginApp(server);
      const person = await createPerson(server);
      await visit(server, { origins: [app.origin] }, async (visitor) => {
        const { page, context, at, submit } = visitor;
        await page.goto(`${app.origin}/sign-in`);
        await at('login');
        const base = (await page.locator('#sign-in').getAttribute('action')) ?? '';
        const uid = base.split('/').at(-1) ?? '';
        const pathOf = async (): Promise<Record<string, string>> =>
          Object.fromEntries((await context.cookies()).map(({ name, path }) => [name, path]));
        expect(await pathOf()).to.include({
          sp_interaction: base,
          sp_resume: `/oauth2/authorize/${uid}`,
          sp_csrf: '/',
        });

        await enterPassword(visitor, person);
        await at('consent');
        expect(await page.evaluate('document.cookie'), 'what scripts see').to.equal('');
        const cookies = (await context.cookies()).filter(({ domain }) => domain === new URL(server.url).hostname);
        expect(cookies.map(({ name }) => name)).to.include.members(['sp_session', 'sp_interaction', 'sp_resume']);
        for (const { name, httpOnly, sameSite } of cookies) {
          expect({ httpOnly, sameSite }, name).to.deep.equal({ httpOnly: true, sameSite: 'Lax' });
        }
        await submit({});
        await at('app-in');
        const left = Object.values(await pathOf()).filter((path) => path !== '/');
        expect(
          left.filter((path) => path.startsWith('/oauth2/')),
          'after the end',
        ).to.deep.equal([]);
      });
    });

    for (const doors of [1, 2]) {
      it(`outlive the browser when "Keep me signed in" is ticked, and end with it otherwise, after ${doors === 1 ? 'one door' : 'two doors'}`, async () => {
        const server = await sharedServer();
        await using app = await openOtherOriginApp(server, { firstParty: true });
        const person = await createPerson(server);
        const enrolled = doors === 2 && (await enrolTotp(server, person.account.id, person.login));
        for (const kept of [true, false]) {
          await visit(server, { origins: [app.origin] }, async (visitor) => {
            const { page, context, at, submit } = visitor;
            await page.goto(`${app.origin}/sign-in`);
            await at('login');
            if (kept) await page.locator('[name=remember]').check();
            await enterPassword(visitor, person);
            if (enrolled) await submit({ code: await enrolled.code(kept ? 0 : 1) });
            await at('app-in');
            const session = (await context.cookies(server.url)).find(({ name }) => name === 'sp_session');
            // Chromium says -1 for a cookie that ends with the browser.
            if (kept) expect((session?.expires ?? 0) - Date.now() / 1000).to.be.within(13 * 86_400, 15 * 86_400);
            else expect(session?.expires).to.equal(-1);
          });
        }
      });
    }
  });

  describe('behind a proxy that speaks https', () => {
    let server: RunningApp;
    let port: number;

    before(async () => {
      port = await freePort();
      server = await startApp({
        PORT: String(port),
        SALLYPORT_ISSUER: 'https://id.example',
        SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
      });
    });
    after(() => server?.[Symbol.asyncDispose]());

    /** As the proxy passes it on. */
    const get = (path: string, cookie = ''): Promise<{ text: string; cookies: Cookie[]; lines: string[] }> =>
      new Promise((resolve, reject) => {
        const headers = { host: 'id.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7', cookie };
        request({ host: '127.0.0.1', port, path, headers }, (response) => {
          const lines = response.headers['set-cookie'] ?? [];
          text(response).then((body) => resolve({ text: body, cookies: lines.map(readCookie), lines }), reject);
        })
          .on('error', reject)
          .end();
      });

    it('are all Secure, and their names bind them to this host', async () => {
      const { client } = await createClient(server, {
        kind: 'spa',
        metadata: { redirect_uris: ['https://app.example/callback'] },
      });
      const parameters = new URLSearchParams({
        client_id: client.id,
        redirect_uri: 'https://app.example/callback',
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      });
      const begun = await get(`/oauth2/authorize?${parameters}`);
      const { action } = readForm(begun.text, 'password');
      expect(action).to.match(/^\/sign-in\//);
      const jar = begun.lines.map((line) => line.split(';')[0]).join('; ');
      const page = await get(`${action}/login`, jar);
      const logout = await get('/oauth2/logout');
      const all = [...begun.cookies, ...page.cookies, ...logout.cookies];
      const names = all.map(({ name }) => name.replace(/\.sig$/, ''));
      expect(names).to.include.members([
        '__Secure-sp_interaction',
        '__Secure-sp_resume',
        '__Host-sp_csrf',
        '__Host-sp_session',
      ]);
      for (const { name, attributes } of all) {
        expect(name).to.match(/^__(Host|Secure)-/);
        expect([...attributes.keys()], name).to.include.members(['secure', 'httponly', 'samesite', 'path']);
        expect(attributes.get('samesite')?.toLowerCase(), name).to.equal('lax');
        expect(attributes.has('domain'), name).to.equal(false);
        // Browsers drop a `__Host-` cookie of any other path.
        if (name.startsWith('__Host-')) expect(attributes.get('path'), name).to.equal('/');
        else expect(attributes.get('path'), name).to.not.equal('/');
      }
    });
  });
});
