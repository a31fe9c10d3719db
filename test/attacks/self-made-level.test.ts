import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { generate } from 'otplib';
import { registeredApp, roomy } from '../flows/entry-visitor.ts';
import { createPerson } from '../support/people.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { browserOf } from '../web/api-caller.ts';

describe('what a session may say of itself', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp(roomy);
    app = await registeredApp(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  const authenticatedAt = async (id: string): Promise<number> =>
    new Date(
      (await server.app.database.sql('session').where({ account_id: id, ended_at: null }).first()).authenticated_at,
    ).getTime();

  async function turnedOn() {
    const person = await createPerson(server);
    const browser = await browserOf(server, person);
    const before = await authenticatedAt(person.account.id);
    await delay(1_100);
    const { secret } = (await browser.ask('POST', '/me/2fa/setup')).json;
    expect((await browser.ask('POST', '/me/2fa/confirm', { code: await generate({ secret }) })).status).to.equal(200);
    return { person, before, ...browser };
  }

  it('is not that it is fresh, because it set up a second factor that it made itself', async () => {
    const { person, before } = await turnedOn();
    expect(await authenticatedAt(person.account.id)).to.equal(before);
  });

  it('is not that it is fresh, because it took the second factor away', async () => {
    const { person, ask } = await turnedOn();
    expect((await ask('POST', '/me/2fa/disable')).status).to.equal(204);
    expect(await server.app.domains.sessions.list(person.account.id)).to.deep.equal([]);
    expect((await ask('GET', '/me')).status).to.equal(401);
  });

  it('is not two factors of an account that has one', async () => {
    const { ask, web } = await turnedOn();
    expect((await ask('POST', '/me/2fa/disable')).status).to.equal(204);
    // Codes of the second in which all was ended are over as well.
    await delay(2_100);
    const attempt = await app.request({ acr_values: 'aal2' });
    const end = await web.open(attempt.url);
    const acr = end.url.searchParams.has('code') ? (await app.redeem(end.url, attempt)).claims()?.acr : undefined;
    expect(acr, `${end.name}`).to.equal(undefined);
  });
});
