import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

describe('the claims parameter and what a person allows', () => {
  let server: RunningApp;
  let person: Person;

  before(async () => {
    server = await startApp();
    person = await createPerson(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  const claims = JSON.stringify({
    userinfo: { email: null, phone_number: null, address: null },
    id_token: { birthdate: null },
  });

  async function partyWith(scope?: string): Promise<RelyingParty> {
    const { client } = await createClient(server, {
      kind: 'spa',
      metadata: { redirect_uris: [callback], ...(scope !== undefined && { scope }) },
    });
    return RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth: oidc.None(),
      redirectUri: callback,
    });
  }

  it('shows on the consent page what single claims ask for', async () => {
    const app = await partyWith();
    const web = new WebClient(server.url);
    const page = await signIn(web, await web.open((await app.request({ claims })).url), person);
    expectPage(page, 'consent');
    const main = page.text.slice(page.text.indexOf('<main'));
    expect(main).to.match(/phone/i);
    expect(main).to.match(/address/i);
  });

  it('gives an app no claims of scopes that it may not ask for', async () => {
    const app = await partyWith('openid');
    const web = new WebClient(server.url);
    const attempt = await app.request({ claims });
    const back = await allow(web, await signIn(web, await web.open(attempt.url), person));
    const tokens = await app.redeem(back.url, attempt);
    const info = await oidc.fetchUserInfo(app.config, tokens.access_token, tokens.claims()?.sub ?? '');
    expect(Object.keys(info)).to.have.members(['sub']);
  });
});
