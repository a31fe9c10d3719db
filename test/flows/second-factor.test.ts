import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

describe('the second door', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' });
    app = await registered({ kind: 'spa', firstParty: true });
  });
  after(() => server[Symbol.asyncDispose]());

  async function registered(input: Parameters<typeof createClient>[1]): Promise<RelyingParty> {
    const { client } = await createClient(server, {
      ...input,
      metadata: { redirect_uris: [callback], ...input.metadata },
    });
    return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback });
  }

  const enrolled = async (): Promise<Person & Awaited<ReturnType<typeof enrolTotp>>> => {
    const person = await createPerson(server);
    return { ...person, ...(await enrolTotp(server, person.account.id, person.login)) };
  };

  const toSecondDoor = async (
    person: Person,
    parameters: Record<string, string> = {},
  ): Promise<{ web: WebClient; page: Page; attempt: Awaited<ReturnType<RelyingParty['request']>> }> => {
    const web = new WebClient(server.url);
    const attempt = await app.request(parameters);
    const page = expectPage(await signIn(web, await web.open(attempt.url), person), 'totp');
    return { web, page, attempt };
  };

  it('stands before every account that has one, and the tokens tell the truth about it', async () => {
    const person = await enrolled();
    const { web, page, attempt } = await toSecondDoor(person);
    const back = await web.submit(page, { code: await person.code(), action: 'continue' }, 'code');
    const claims = (await app.redeem(back.url, attempt)).claims();
    expect(claims?.acr).to.equal('aal2');
    expect(claims?.amr).to.have.members(['pwd', 'otp', 'mfa']);
  });

  it('refuses a wrong code, an empty form, letters, seven digits and a used code, and says how many tries are left', async () => {
    const person = await enrolled();
    const { web, page } = await toSecondDoor(person);
    let current = page;
    for (const code of ['', 'abcdef', '1234567', '000000']) {
      current = expectPage(await web.submit(current, { code, action: 'continue' }, 'code'), 'totp');
      expect(current.status).to.be.within(400, 429);
    }
    const code = await person.code();
    // Wrong codes in a row make the next try wait; the page says so, and then the right one opens.
    let done = await web.submit(current, { code, action: 'continue' }, 'code');
    for (let tries = 0; tries < 50 && done.status === 429; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, Number(done.headers.get('retry-after') ?? 1) * 200));
      done = await web.submit(current, { code, action: 'continue' }, 'code');
    }
    expect(done.url.origin).to.equal('https://app.example');
    const again = await toSecondDoor(person);
    expectPage(await again.web.submit(again.page, { code, action: 'continue' }, 'code'), 'totp');
  });

  it('closes after five wrong codes and asks for the password again', async () => {
    const person = await enrolled();
    const { web, page } = await toSecondDoor(person);
    let current = page;
    for (let tries = 0; tries < 100 && current.name === 'totp'; tries += 1) {
      current = await web.submit(current, { code: '000000', action: 'continue' }, 'code');
      if (current.status === 429) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expectPage(current, 'login');
    expect(current.text).to.include('Too many');
  });

  it('accepts one code once over fifty sign-ins at the same moment', async () => {
    const person = await enrolled();
    const doors = await Promise.all(Array.from({ length: 10 }, () => toSecondDoor(person)));
    const code = await person.code();
    const ends = await Promise.all(
      doors.flatMap(({ web, page }) =>
        Array.from({ length: 5 }, () =>
          web.submit(page, { code, action: 'continue' }, 'code').catch((error: unknown) => error),
        ),
      ),
    );
    const passed = ends.filter(
      (end) =>
        typeof end === 'object' && end !== null && 'url' in end && (end.url as URL).origin === 'https://app.example',
    );
    const flows = new Set(passed.map((end) => (end as Page).url.searchParams.get('code')));
    expect(flows.size).to.equal(1);
  });

  it('cannot be walked around by opening other pages, posting them, or going straight back to the app', async () => {
    const person = await enrolled();
    const { web, page, attempt } = await toSecondDoor(person);
    const base = page.url.pathname.replace(/\/second-factor$/, '');
    const uid = base.split('/').at(-1) ?? '';
    for (const path of ['', '/login', '/enroll', '/backup-codes', '/consent', '/select-account']) {
      expectPage(await web.open(`${base}${path}`), 'totp');
    }
    const token = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    for (const path of ['/login', '/enroll', '/backup-codes', '/consent', '/select-account']) {
      for (const fields of [
        {},
        { action: 'continue' },
        { action: 'continue', stored: 'yes', account: person.account.id },
      ]) {
        const end = await web.post(`${base}${path}`, { csrf: token, ...fields });
        expect(end.url.origin, path).to.equal(server.url);
        expect(end.name).to.be.oneOf(['totp', 'login']);
      }
    }
    const resumed = await web.open(`/oauth2/authorize/${uid}`);
    expect(resumed.url.searchParams.get('code')).to.equal(null);
    expect((await app.request()).url.href).to.not.equal(attempt.url.href);
  });

  it('opens with a backup code, once', async () => {
    const person = await enrolled();
    const [code = ''] = await server.app.domains.credentials.backupCodes.create(person.account.id);
    const enter = async (): Promise<Page> => {
      const { web, page } = await toSecondDoor(person);
      const form = expectPage(
        await web.submit(page, { action: 'backup-code' }, 'code').then((end) => end),
        'backup-code',
      );
      return web.submit(form, { code, action: 'continue' }, 'code');
    };
    expect((await enter()).url.origin).to.equal('https://app.example');
    expectPage(await enter(), 'backup-code');
  });

  it('is set up on the way when the app asks for it: key, confirmation, ten codes, then on to the app', async () => {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    const attempt = await app.request({ acr_values: 'aal2' });
    const enrol = expectPage(await signIn(web, await web.open(attempt.url), person), 'enroll-totp');
    const secret = /secret=([A-Z2-7]+)/.exec(enrol.text)?.[1] ?? '';
    expect(secret.length * 5).to.be.at.least(160);
    const wrong = expectPage(await web.submit(enrol, { code: '000000', action: 'continue' }, 'code'), 'enroll-totp');
    expect(wrong.text).to.include(secret);
    const { generate } = await import('otplib');
    const codes = expectPage(
      await web.submit(wrong, { code: await generate({ secret }), action: 'continue' }, 'code'),
      'backup-codes',
    );
    expect([...codes.text.matchAll(/<li>/g)].length).to.be.at.least(10);
    // A reload makes nothing: the codes that were shown stay good until new ones are asked for.
    const again = expectPage(await web.open(codes.url.pathname.replace(/enroll$/, 'backup-codes')), 'backup-codes');
    expect(again.text).to.not.include('<ol class="codes"');
    const shown = /<li>([^<]+)<\/li>/.exec(codes.text.slice(codes.text.indexOf('id="codes"')))?.[1] ?? '';
    expect(await server.app.domains.credentials.backupCodes.match(person.account.id, shown)).to.be.a('string');
    const renewed = expectPage(await web.submit(again, { action: 'renew' }, 'stored'), 'backup-codes');
    expect(renewed.text).to.include('<ol class="codes"').and.not.include(shown);
    expect(await server.app.domains.credentials.backupCodes.match(person.account.id, shown)).to.equal(undefined);
    const back = await web.submit(renewed, { stored: 'yes', action: 'continue' }, 'stored');
    expect(back.url.origin, back.text.slice(0, 500)).to.equal('https://app.example');
    expect((await app.redeem(back.url, attempt)).claims()?.acr).to.equal('aal2');
  });

  it('steps a session up by asking for exactly the missing factor', async () => {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    const first = await app.request();
    await signIn(web, await web.open(first.url), person);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const second = await app.request({ acr_values: 'aal2' });
    const door = expectPage(await web.open(second.url), 'totp');
    const back = await web.submit(door, { code: await code(), action: 'continue' }, 'code');
    expect((await app.redeem(back.url, second)).claims()?.acr).to.equal('aal2');
  });

  it('is demanded by a client or an API that is set up so', async () => {
    const person = await createPerson(server);
    const strict = await registered({ kind: 'spa', firstParty: true, requireSecondFactor: true });
    const web = new WebClient(server.url);
    expectPage(await signIn(web, await web.open((await strict.request()).url), person), 'enroll-totp');
    const api = await createApi(server, { requireSecondFactor: true });
    const caller = await registered({ kind: 'spa', firstParty: true, apis: { [api]: [] } });
    const other = new WebClient(server.url);
    expectPage(
      await signIn(
        other,
        await other.open((await caller.request({ resource: api, scope: 'openid notes:read' })).url),
        person,
      ),
      'enroll-totp',
    );
  });

  it('honours prompt=login, max_age and prompt=none', async () => {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    await signIn(web, await web.open((await app.request()).url), person);
    expect((await web.open((await app.request({ prompt: 'none' })).url)).url.searchParams.get('code')).to.be.a(
      'string',
    );
    const again = await app.request({ prompt: 'login' });
    const back = await signIn(web, expectPage(await web.open(again.url), 'login'), person);
    const claims = (await app.redeem(back.url, again)).claims();
    expect((claims?.auth_time ?? 0) * 1000).to.be.greaterThan(Date.now() - 30_000);
    expectPage(await web.open((await app.request({ max_age: '0' })).url), 'login');
    const stranger = new WebClient(server.url);
    expect((await stranger.open((await app.request({ prompt: 'none' })).url)).url.searchParams.get('error')).to.equal(
      'login_required',
    );
    expect(
      (await web.open((await app.request({ prompt: 'none', acr_values: 'aal2' })).url)).url.searchParams.get('error'),
    ).to.be.oneOf(['login_required', 'interaction_required']);
  });
});
