import { expect } from 'chai';
import { roomy } from '../flows/entry-visitor.ts';
import { createClient, createPerson } from '../support/people.ts';
import { allow, signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

describe('a device that wants a new sign-in', () => {
  let server: RunningApp;

  before(async () => {
    server = await startApp(roomy);
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** The pages that somebody who is signed in goes through. */
  const pages = async (parameters: Record<string, string>): Promise<(string | undefined)[]> => {
    const person = await createPerson(server);
    const metadata = { grant_types: [deviceGrant] };
    const { client } = await createClient(server, { kind: 'native', firstParty: true, metadata });
    const web = new WebClient(server.url);
    expectPage(await signIn(web, await web.open('/account'), person), 'account-overview');
    await secondOver();
    const body = new URLSearchParams({ client_id: client.id, scope: 'openid', ...parameters });
    const answer = await fetch(`${server.url}/oauth2/device`, { method: 'POST', body });
    const { verification_uri_complete: uri } = (await answer.json()) as { verification_uri_complete: string };
    let page = await web.open(uri);
    if (page.name === 'go-on') page = await web.submit(page, {});
    page = await web.submit(expectPage(page, 'device-confirm'), { confirm: 'yes' }, 'confirm');
    const seen = [page.name];
    if (page.name === 'login') {
      page = await signIn(web, page, person);
      seen.push(page.name);
    }
    return page.name === 'consent' ? [...seen, (await allow(web, page)).name] : seen;
  };

  it('gets it, also with max_age=0, and one that wants none does not', async () => {
    expect(await pages({ max_age: '0' })).to.deep.equal(['login', 'consent', 'device-done']);
    expect(await pages({ max_age: '1000' })).to.deep.equal(['consent', 'device-done']);
    expect(await pages({})).to.deep.equal(['consent', 'device-done']);
  });
});
