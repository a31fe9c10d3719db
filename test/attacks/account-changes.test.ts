import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { readForm, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;

describe('what a thief keeps when an account is taken back', () => {
  let server: RunningApp;
  let app: RelyingParty;
  let clientId: string;

  before(async () => {
    server = await startApp();
    const { client } = await createClient(server, { kind: 'spa', metadata: { redirect_uris: [redirectUri] } });
    clientId = client.id;
    app = await RelyingParty.discover({ issuer: server.url, clientId, auth: oidc.None(), redirectUri });
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function thief(person: Person) {
    const web = new WebClient(server.url);
    const attempt = await app.request({ scope: 'openid offline_access', prompt: 'consent' });
    const back = await allow(web, await signIn(web, await web.open(attempt.url), person));
    const tokens = await app.redeem(back.url, attempt);
    return {
      web,
      tokens,
      refresh: async () =>
        (
          await fetch(`${server.url}/oauth2/token`, {
            method: 'POST',
            body: new URLSearchParams({
              client_id: clientId,
              grant_type: 'refresh_token',
              refresh_token: tokens.refresh_token ?? '',
            }),
          })
        ).status,
      silent: async () => (await web.open((await app.request({ prompt: 'none' })).url)).url.searchParams.get('error'),
    };
  }

  it('nothing after the operator set another password', async () => {
    const person = await createPerson(server);
    const { refresh, silent } = await thief(person);
    await server.app.domains.credentials.setPassword(person.account.id, 'quite another long password', {
      actor: operator,
    });
    expect({ refresh: await refresh(), silent: await silent() }).to.deep.equal({
      refresh: 400,
      silent: 'login_required',
    });
  });

  it('nothing after the account was disabled and enabled again', async () => {
    const person = await createPerson(server);
    const { refresh, silent } = await thief(person);
    await server.app.domains.accounts.disable(person.account.id, operator);
    await server.app.domains.accounts.enable(person.account.id, operator);
    expect({ refresh: await refresh(), silent: await silent() }).to.deep.equal({
      refresh: 400,
      silent: 'login_required',
    });
  });

  it('nothing after they logged out, except what offline_access gave', async () => {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    const attempt = await app.request({ scope: 'openid' });
    const back = await allow(web, await signIn(web, await web.open(attempt.url), person));
    const tokens = await app.redeem(back.url, attempt);
    const saved = web.cookies();
    const page = await web.open(`/oauth2/logout?client_id=${clientId}`);
    const { action, fields } = readForm(page.text, 'xsrf');
    const out = await web.post(new URL(action, page.url), { ...fields, logout: 'yes' });
    expect(out.status, out.text.slice(0, 500)).to.be.lessThan(400);
    const userinfo = await fetch(`${server.url}/oauth2/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    const refresh = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: clientId,
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
      }),
    });
    const replay = new WebClient(server.url);
    for (const [name, value] of saved) replay.setCookie(name, value);
    const silent = await replay.open((await app.request({ prompt: 'none' })).url);
    expect([userinfo.status, refresh.status, silent.url.searchParams.get('error')]).to.deep.equal([
      401,
      400,
      'login_required',
    ]);
  });

  it('does not count a form of a finished sign-in, sent again, as wrong passwords', async () => {
    const person = await createPerson(server);
    const web = new WebClient(server.url);
    const page = await web.open((await app.request()).url);
    const send = () =>
      web.fetch(page.url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          ...readForm(page.text, 'username').fields,
          username: person.login,
          password: person.password,
          action: 'continue',
        }).toString(),
      });
    expect((await send()).status).to.equal(303);
    for (let more = 0; more < 6; more += 1) await send();
    const other = new WebClient(server.url);
    const fresh = await signIn(other, await other.open((await app.request()).url), person);
    expect(fresh.name).to.equal('consent');
  });
});
