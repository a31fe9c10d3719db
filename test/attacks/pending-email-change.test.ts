import { expect } from 'chai';
import * as oidc from 'openid-client';
import { follow, mailed, roomy } from '../flows/entry-visitor.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;

describe('a change of address that a thief has started', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp(roomy);
    const input = { kind: 'spa', firstParty: true, metadata: { redirect_uris: [redirectUri] } } as const;
    const { client } = await createClient(server, input);
    app = await RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri });
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function started() {
    const person = await createPerson(server);
    const thief = new WebClient(server.url);
    await signIn(thief, await thief.open('/account/profile/email'), person);
    const evil = newAddress();
    const page = expectPage(await thief.open('/account/profile/email'), 'account-email');
    await thief.submit(page, { email: evil, action: 'continue' }, 'email');
    const { path } = await mailed(server, evil, 'change-email');
    expect(path).to.not.equal('');
    return { person, evil, path };
  }
  const emailOf = async (id: Parameters<typeof server.app.domains.accounts.find>[0]) =>
    (await server.app.domains.accounts.find(id))?.email;

  it('is over when the person had to choose another password at the sign-in', async () => {
    const { person, path } = await started();
    const { account } = person;
    await server.app.database.sql('password').where({ account_id: account.id }).update({ must_change: true });
    const web = new WebClient(server.url);
    const page = expectPage(await signIn(web, await web.open((await app.request()).url), person), 'change-password');
    const end = await web.submit(page, { 'new-password': goodPassword(), action: 'continue' }, 'new-password');
    expect(end.url.searchParams.has('code'), `${end.name} ${end.text.slice(900, 3500)}`).to.equal(true);
    await follow(new WebClient(server.url), path).catch(() => undefined);
    expect(await emailOf(account.id)).to.equal(account.email);
  });

  it('is over when an operator set another password', async () => {
    const {
      person: { account },
      path,
    } = await started();
    await server.app.domains.credentials.setPassword(account.id, goodPassword(), { actor: operator, mustChange: true });
    await follow(new WebClient(server.url), path).catch(() => undefined);
    expect(await emailOf(account.id)).to.equal(account.email);
  });

  it('is over when the account was disabled and enabled again', async () => {
    const {
      person: { account },
      path,
    } = await started();
    await server.app.domains.accounts.disable(account.id, operator);
    await server.app.domains.accounts.enable(account.id, operator);
    await follow(new WebClient(server.url), path).catch(() => undefined);
    expect(await emailOf(account.id)).to.equal(account.email);
  });
});
