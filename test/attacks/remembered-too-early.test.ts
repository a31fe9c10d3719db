import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { expectPage, readForm, signInBase, WebClient } from '../support/web-client.ts';
import { House } from './house.ts';

const redirectUri = 'https://third.example/callback';

/** Somebody got the key of a victim touched once, without its PIN, and does not know the password. */
describe('a browser that wants to be remembered before both doors were opened', () => {
  let house: House;
  let third: RelyingParty;
  before(async () => {
    house = await House.open({ SALLYPORT_EMAIL_STEP: 'off' });
    const { client } = await createClient(house.server, { kind: 'spa', metadata: { redirect_uris: [redirectUri] } });
    const issuer = house.server.url;
    third = await RelyingParty.discover({ issuer, clientId: client.id, auth: oidc.None(), redirectUri });
  });
  after(() => house?.[Symbol.asyncDispose]());

  it('is not', async () => {
    const mallory = await house.resident('nothing');
    const victim = await house.resident('passkey');
    const web = new WebClient(house.server.url);
    const consent = await signIn(web, await web.open((await third.request({ scope: 'openid email' })).url), mallory);
    const page = await web.submit(expectPage(consent, 'consent'), { action: 'restart' }, 'action');
    const options = await house.passkeyOptions(web, page);
    const passkey = JSON.stringify(victim.key?.get(options, { verified: false }));
    const csrf = readForm(page.text, 'csrf').fields.csrf ?? '';
    const next = await web.post(`${signInBase(page)}/passkey`, { csrf, action: 'passkey', passkey, trust: 'yes' });
    expectPage(next, 'login');
    expect([...web.cookies().keys()].filter((name) => /known/.test(name))).to.deep.equal([]);
    expect(await house.server.app.domains.devices.listRemembered(victim.account.id)).to.deep.equal([]);
  });

  it('is, where they were', async () => {
    const person = await house.resident('passkey');
    const { web, page } = await house.visit();
    const door = expectPage(await signIn(web, page, person), 'passkey');
    const options = await house.passkeyOptions(web, door);
    const passkey = JSON.stringify(person.key?.get(options, { verified: false }));
    const end = await web.submit(door, { action: 'passkey', passkey, trust: 'yes' }, 'csrf', 'action');
    expect(end.url.searchParams.has('code')).to.equal(true);
    expect(await house.server.app.domains.devices.listRemembered(person.account.id)).to.have.length(1);
  });
});
