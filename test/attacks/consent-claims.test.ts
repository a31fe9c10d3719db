import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
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

  it('refuses claims of scopes that the app may not ask for', async () => {
    const app = await partyWith('openid');
    const back = await new WebClient(server.url).open((await app.request({ claims })).url);
    expect(back.url.searchParams.get('error')).to.equal('invalid_request');
  });
});
