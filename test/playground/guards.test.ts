import { request } from 'node:http';
import { expect } from 'chai';
import { startPlayground } from '../../src/playground/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { freePort } from '../support/start-app.ts';
import { build, type Lane, newPerson, readable, startLane, stockClients, viewsDir } from './playground-lane.ts';
import { startStockIssuer } from './stock-issuer.ts';

const options = (issuer: string, more: object = {}) => ({
  issuer,
  port: 0,
  host: '127.0.0.1',
  viewsDir,
  logger: silentLogger(),
  clients: stockClients,
  ...more,
});

/** A request whose Host is not what the address says; `fetch` would not send it. */
function withHost(origin: string, host: string): Promise<{ status: number | undefined; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${origin.replace('localhost', '127.0.0.1')}/machine`,
      { headers: { host } },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode, location: response.headers.location });
      },
    );
    outgoing.on('error', reject).end();
  });
}

describe('playground: guards', () => {
  let lane: Lane;
  before(async () => {
    lane = await startLane();
  });
  after(() => lane[Symbol.asyncDispose]());

  it('sends a strict policy with every answer, also with refusals', async () => {
    const { app } = newPerson(lane);
    const home = await app.open('/');
    const asset = /href="(\/assets\/sallyport[^"]+)"/.exec(home.text)?.[1] ?? '';
    for (const page of [home, await app.open('/nowhere'), await app.open(asset), await app.open('/callback?state=x')]) {
      const policy = page.headers.get('content-security-policy');
      expect(policy)
        .to.include("default-src 'none'")
        .and.include("script-src 'self'")
        .and.include("frame-ancestors 'none'");
      expect(policy).to.include(`form-action 'self' ${lane.stock.issuer}`).and.not.include('unsafe');
      expect(page.headers.get('x-content-type-options')).to.equal('nosniff');
    }
    expect(home.headers.get('cache-control')).to.equal('no-store');
    expect(home.text).not.to.match(/ style=| on[a-z]+=|<script>/);
  });

  it('answers under its own name only', async () => {
    const { origin } = lane.playground;
    const { port } = new URL(origin);
    expect(await withHost(origin, `127.0.0.1:${port}`)).to.deep.equal({ status: 302, location: `${origin}/machine` });
    expect((await withHost(origin, `rebound.example:${port}`)).status).to.equal(421);
    expect((await withHost(origin, 'localhost:1')).status).to.equal(421);
  });

  it('takes forms from its own pages only', async () => {
    const { app } = newPerson(lane);
    const post = (headers: Record<string, string>, body = 'scope-openid=on') =>
      app.fetch('/runs', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
    expect((await post({})).status).to.equal(303);
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).to.equal(403);
    expect((await post({ 'sec-fetch-site': 'same-site' })).status).to.equal(403);
    expect((await post({ origin: lane.stock.issuer })).status).to.equal(403);
    expect((await post({ origin: 'null' })).status).to.equal(403);
    expect((await post({ origin: lane.playground.origin, 'sec-fetch-site': 'same-origin' })).status).to.equal(303);
  });

  it('refuses bodies that are no short form', async () => {
    const { app } = newPerson(lane);
    const post = async (body: string, type = 'application/x-www-form-urlencoded') =>
      (await app.fetch('/runs', { method: 'POST', body, headers: { 'content-type': type } })).status;
    expect(await post('{}', 'application/json')).to.equal(400);
    expect(await post(`claims=${'x'.repeat(40_000)}`)).to.equal(400);
    expect(await post('scope-openid=%ff')).to.equal(400);
    expect(await post('prompt=login&prompt=none')).to.equal(400);
  });

  it('names the fields that have to be put right and keeps what was typed', async () => {
    const fields = {
      prompt: 'maybe',
      max_age: '-1',
      resource: 'notes',
      claims: '[1]',
      more_scopes: 'a "b"',
      login_hint: '"><i>',
    };
    const page = await build(newPerson(lane), fields);
    expect(page.status).to.equal(400);
    const text = readable(page);
    for (const sentence of ['Give 0 or more.', 'Give an absolute URI', 'Give a JSON object', 'A scope has no spaces'])
      expect(text).to.include(sentence);
    expect(page.text).to.include('value="&#34;&gt;&lt;i&gt;"');
    expect(page.text).to.match(/<title>Error: /);
    expect(page.text.match(/<input[^>]* autofocus>/g)?.map((tag) => /id="(\w+)"/.exec(tag)?.[1])).to.deep.equal([
      'more_scopes',
    ]);
  });

  it('listens on loopback only', async () => {
    let refused: unknown;
    await startPlayground(options('http://localhost:1', { host: '0.0.0.0' })).catch((error: unknown) => {
      refused = error;
    });
    expect(refused).to.be.instanceOf(RangeError);
  });
});

describe('playground: an issuer that is not there', () => {
  it('says so with 503, and works as soon as it is there', async () => {
    const port = await freePort();
    await using playground = await startPlayground(options(`http://localhost:${port}`, { patienceSeconds: 0.1 }));
    const get = () => fetch(playground.origin);
    const away = await get();
    expect(away.status).to.equal(503);
    expect(away.headers.get('retry-after')).to.equal('2');
    expect(await away.text()).to.include('The server does not answer');

    await using _issuer = await startStockIssuer(() => playground.origin, port);
    expect((await get()).status).to.equal(200);
  });

  it('waits for one that is still starting', async () => {
    const port = await freePort();
    await using playground = await startPlayground(options(`http://localhost:${port}`, { patienceSeconds: 20 }));
    const early = fetch(playground.origin);
    // The first attempts find nobody; only a retry can succeed.
    await fetch(`http://localhost:${port}`).catch(() => undefined);
    await using _issuer = await startStockIssuer(() => playground.origin, port);
    expect((await early).status).to.equal(200);
  });
});
