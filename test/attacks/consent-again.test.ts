import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';

describe('a consent page that comes again', () => {
  let server: RunningApp;
  let person: Person;

  before(async () => {
    server = await startApp();
    person = await createPerson(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function register(
    kind: 'native' | 'spa',
    redirectUri: string,
    extra: { scope?: string; apis?: Record<string, string[]> } = {},
  ): Promise<RelyingParty> {
    const { client } = await createClient(server, {
      kind,
      ...(extra.apis && { apis: extra.apis }),
      metadata: { redirect_uris: [redirectUri], ...(extra.scope !== undefined && { scope: extra.scope }) },
    });
    return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri });
  }
  const mainOf = (text: string): string => text.slice(text.indexOf('<main')).replace(/<[^>]*>/g, ' ');

  it('says again to a person what a native app gets', async () => {
    const app = await register('native', 'http://127.0.0.1/callback');
    const web = new WebClient(server.url);
    const first = await signIn(web, await web.open((await app.request({ scope: 'openid email' })).url), person);
    expect(mainOf(expectPage(first, 'consent').text)).to.contain('See your email address');
    await allow(web, first);
    const again = await web.open((await app.request({ scope: 'openid email' })).url);
    expect(mainOf(expectPage(again, 'consent').text)).to.contain('See your email address');
  });

  it('says again what the app gets when it asks with prompt=consent', async () => {
    const app = await register('spa', 'https://app.example/callback');
    const web = new WebClient(server.url);
    await allow(web, await signIn(web, await web.open((await app.request({ scope: 'openid email' })).url), person));
    const again = await web.open((await app.request({ scope: 'openid email', prompt: 'consent' })).url);
    expect(mainOf(expectPage(again, 'consent').text)).to.contain('See your email address');
  });

  it('names an API that the app gets a token for, also without a scope of it', async () => {
    const api = await createApi(server);
    const app = await register('spa', 'https://app.example/callback', { apis: { [api]: [] } });
    const web = new WebClient(server.url);
    const attempt = await app.request({ scope: 'openid', resource: api });
    const page = await signIn(web, await web.open(attempt.url), person);
    const back = await allow(web, page);
    const { access_token: token } = await app.redeem(back.url, attempt, { resource: api });
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud: string };
    expect(aud).to.equal(api);
    expect(mainOf(page.text)).to.contain('Notes');
  });

  it('names only those scopes of an API that the app may have', async () => {
    const api = await createApi(server);
    const app = await register('spa', 'https://app.example/callback', { apis: { [api]: ['notes:read'] } });
    const web = new WebClient(server.url);
    const attempt = await app.request({ scope: 'openid notes:read notes:write', resource: api });
    const page = expectPage(await signIn(web, await web.open(attempt.url), person), 'consent');
    expect(mainOf(page.text)).to.contain('Read your notes').and.not.contain('Change your notes');
  });

  it('registers no client for people without an identity scope, which the library would take for all of them', async () => {
    const outcome = await register('spa', 'https://app.example/callback', { scope: '' }).catch((error: Error) => error);
    expect(outcome).to.be.an('error');
    expect((outcome as Error).message).to.include('openid');
  });

  it('counts one consent when the form is sent twenty times at once', async () => {
    const app = await register('spa', 'https://app.example/callback');
    const web = new WebClient(server.url);
    const page = await signIn(web, await web.open((await app.request({ scope: 'openid email' })).url), person);
    const { fields } = readForm(page.text, 'action');
    const count = async (table: string, where: object): Promise<number> =>
      Number((await server.app.database.sql(table).where(where).count({ n: '*' }).first())?.n);
    const before = await count('artifact', { kind: 'Grant' });
    const audited = await count('audit_event', { type: 'consent.granted' });
    await Promise.all(
      Array.from({ length: 20 }, () =>
        web.fetch(page.url, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ ...fields, action: 'continue' }).toString(),
        }),
      ),
    );
    expect((await count('artifact', { kind: 'Grant' })) - before).to.equal(1);
    expect((await count('audit_event', { type: 'consent.granted' })) - audited).to.equal(1);
  });
});
