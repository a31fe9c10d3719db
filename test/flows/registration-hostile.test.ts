import { expect } from 'chai';
import { canary, sharpValues } from '../fuzz/hostile-values.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { roomy, visitorOf } from './entry-visitor.ts';

const pages = [
  'register',
  'invitation',
  'check-mail',
  'verify-email',
  'forgot-password',
  'reset-password',
  'confirm-email',
  'recover',
];
const fields = ['token', 'email', 'username', 'password', 'new-password', 'code', 'sign_in', 'step', 'action'];

describe('the pages around an account', () => {
  let server: RunningApp;
  before(async () => {
    server = await startApp(roomy);
  });
  after(() => server[Symbol.asyncDispose]());

  it('answer hostile queries, forms and cookies without a failure of ours, and echo nothing unescaped', async () => {
    const { web, csrf } = await visitorOf(server);
    const check = async (response: Response, what: string): Promise<void> => {
      expect(response.status, what).to.be.below(500);
      expect(await response.text(), what).not.to.include(canary);
      expect(response.headers.get('location') ?? '/', what).to.match(/^\/(?!\/)/);
      expect(response.headers.get('set-cookie') ?? '', what).not.to.include('x=1');
    };
    const post = (page: string, spoilt: string, value: string): Promise<Response> =>
      web.fetch(`/account/${page}`, {
        method: 'POST',
        body: `csrf=${csrf}&${fields.map((field) => `${field}=${field === spoilt ? value : 'continue'}`).join('&')}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    for (const page of pages) {
      for (const value of sharpValues) {
        const looks = ['token', 'invitation', 'sign_in'].map(async (name) =>
          check(await web.fetch(`/account/${page}?${name}=${value}`), `${page}?${name}=${value}`),
        );
        // Together, because some of them wait for the time that every answer takes.
        const posts = fields.map(async (name) => check(await post(page, name, value), `${page} ${name}=${value}`));
        await Promise.all([...looks, ...posts]);
      }
      for (const cookie of ['sp_entry=x; sp_entry.sig=x', 'sp_link=done.x; sp_link.sig=x', 'sp_link=e30']) {
        await check(await fetch(`${server.url}/account/${page}`, { headers: { cookie } }), `${page} ${cookie}`);
      }
    }
  }).timeout(120_000);

  it('are found in any spelling that the router takes, behind the same limits and headers', async () => {
    const { web } = await visitorOf(server);
    for (const path of ['/ACCOUNT/register', '/account/register/', '/Account/Verify-Email/']) {
      const answer = await web.fetch(path);
      expect(answer.headers.get('cache-control'), path).to.equal('no-store');
      expect([200, 400, 404], path).to.include(answer.status);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      expect((await web.fetch('/account/register', { method })).status, method).to.equal(405);
    }
  });
});
