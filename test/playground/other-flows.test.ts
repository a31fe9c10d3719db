import { expect } from 'chai';
import { expectPage, type Page } from '../support/web-client.ts';
import { type Lane, newPerson, type Person, readable, startLane, stockClients } from './playground-lane.ts';

/** Enters the code on the issuer's pages and signs in. */
async function approve(person: Person, address: string): Promise<Page> {
  let page = await person.issuer.open(address);
  for (let step = 0; step < 6 && !/Sign-in Success/.test(page.text); step += 1) {
    page = page.text.includes('name="login"')
      ? await person.issuer.submit(page, { login: 'ann', password: 'x' }, 'login')
      : await person.issuer.submit(page, {}, page.text.includes('name="xsrf"') ? 'xsrf' : 'prompt');
  }
  return page;
}

describe('playground: device flow and machines', () => {
  let lane: Lane;
  before(async () => {
    lane = await startLane();
  });
  after(() => lane[Symbol.asyncDispose]());

  it('shows the code, says "not yet", and gets the tokens once the owner has agreed', async () => {
    const person = newPerson(lane);
    const waiting = expectPage(await person.app.post('/device', { scope: 'openid profile' }), 'playground-device');
    expect(readable(waiting)).to.match(/enter [A-Z]{4}-[A-Z]{4}/);
    const early = await person.app.submit(waiting, {}, 'action');
    expect(readable(early)).to.match(/Not yet: authorization_pending/);

    const owner = /<a class="button primary" href="([^"]+)"/.exec(waiting.text)?.[1] ?? '';
    expect((await approve(person, owner.replaceAll('&amp;', '&'))).status).to.equal(200);
    const tokens = expectPage(await person.app.submit(early, {}, 'action'), 'playground-tokens');
    expect(readable(tokens)).to.include('The device has its tokens and never saw a password.');
    expect(readable(tokens)).to.include('verified against the issuer’s JWKS');
    expect(readable(await person.app.open(waiting.url))).to.include('The tokens');
  });

  it('gets a machine its token and has it verified', async () => {
    const person = newPerson(lane);
    const tokens = expectPage(
      await person.app.post('/machine', { scope: 'notes:read', resource: lane.stock.apiIdentifier }),
      'playground-tokens',
    );
    expect(readable(tokens)).to.match(/sub "machine" The machine itself: nobody signed in/);
    expect(readable(tokens)).not.to.match(/Refresh|Sign out|Ask UserInfo/);
  });

  it('says why a machine gets nothing', async () => {
    const refused = await newPerson(lane).app.post('/machine', { resource: 'https://other.example' });
    expect(refused.status).to.equal(502);
    expect(readable(refused)).to.match(/refused the request: invalid_target/);
  });

  it('says why a device gets no code', async () => {
    const refused = await newPerson(lane).app.post('/device', { scope: 'openid email' });
    expect(refused.status).to.equal(502);
    expect(readable(refused)).to.match(/refused the request: invalid_scope/);
  });
});

describe('playground: without the other clients', () => {
  it('has no pages for them', async () => {
    await using lane = await startLane({ playground: stockClients.playground });
    const { app } = newPerson(lane);
    expect(readable(await app.open('/'))).not.to.match(/Connect a device|Machine to API/);
    expect((await app.open('/device')).status).to.equal(404);
    expect((await app.post('/machine', {})).status).to.equal(404);
  });
});
