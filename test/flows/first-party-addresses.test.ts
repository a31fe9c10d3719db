import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { mmdb } from '../support/mmdb.ts';
import { createPerson, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const berlin = '81.2.69.10';
const sydney = '1.128.0.10';
const nowhere = '203.0.113.20';
const blocked = '198.51.100.7';
const changchun = '175.16.199.1';

const place = (iso_code: string, latitude: number, longitude: number) => ({
  country: { iso_code, names: { en: iso_code } },
  location: { latitude, longitude, accuracy_radius: 20 },
});

type Body = Record<string, unknown>;

describe('addresses of apps that sign people in by themselves', () => {
  let dir: string;
  let server: RunningApp;
  let native: DirectClient;
  let web: DirectClient;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-places-'));
    const places = { '81.2.69.0/24': place('DE', 52.52, 13.405), '1.128.0.0/16': place('AU', -33.869, 151.209) };
    writeFileSync(join(dir, 'city.mmdb'), mmdb({ ...places, '175.16.199.0/24': place('CN', 43.88, 125.3228) }));
    server = await startApp({
      SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
      SALLYPORT_LOCATION_DATABASE: join(dir, 'city.mmdb'),
      SALLYPORT_BLOCK_ADDRESSES: blocked,
      SALLYPORT_BLOCK_COUNTRIES: 'CN',
    });
    native = await DirectClient.register(server);
    web = await DirectClient.register(server, { kind: 'web' });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const at = (ip: string) => ({ 'x-forwarded-for': ip });
  const signIn = async (app: DirectClient, person: Person, ip: string): Promise<Body> => {
    const { username, password } = { username: person.login, password: person.password };
    const { status, body } = await app.post('login', { username, password }, at(ip));
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  /** The ways of a refresh: as short as it can be, one that only the library answers, and JSON. */
  const ways = {
    plain: (app: DirectClient, body: Body, ip: string) => atEndpoint(app, { refresh_token: token(body) }, ip),
    long: (app: DirectClient, body: Body, ip: string) =>
      atEndpoint(app, { refresh_token: token(body), scope: 'openid' }, ip),
    json: (app: DirectClient, body: Body, ip: string) => app.post('refresh', { refresh_token: token(body) }, at(ip)),
  };
  const token = (body: Body): string => textOf(body, 'refresh_token');
  async function atEndpoint(app: DirectClient, fields: Record<string, string>, ip: string) {
    const identified = app.secret === '' ? { client_id: app.id } : {};
    const authorization = app.secret === '' ? {} : { authorization: `Basic ${btoa(`${app.id}:${app.secret}`)}` };
    const response = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      headers: { ...at(ip), ...(authorization as object) },
      body: new URLSearchParams({ grant_type: 'refresh_token', ...identified, ...fields }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  }
  const sessionsOf = ({ account }: Person) => server.app.domains.sessions.list(account.id);
  const risksOf = async ({ account }: Person) => {
    const rows = await server.app.domains.audit.list({ subject: account.id, type: 'risk.detected', limit: 10 });
    return rows.map(({ details, ip }) => ({ signals: details?.signals, action: details?.action, ip }));
  };

  for (const [name, refresh] of Object.entries(ways)) {
    describe(`in a refresh (${name})`, () => {
      it('note another network, and go on there', async () => {
        const person = await createPerson(server);
        const first = await signIn(native, person, berlin);
        const second = await refresh(native, first, nowhere);
        expect(second.status, JSON.stringify(second.body)).to.equal(200);
        expect(await risksOf(person)).to.deep.equal([{ signals: ['address-changed'], action: 'note', ip: nowhere }]);
        const [session] = await sessionsOf(person);
        expect([session?.ip, session?.lastIp]).to.deep.equal([berlin, nowhere]);
        expect((await refresh(native, second.body, nowhere)).status).to.equal(200);
        expect(await risksOf(person)).to.have.length(1);
      });

      it('end a session whose token is somewhere else, and ask for more at the next sign-in there', async () => {
        const person = await createPerson(server);
        const first = await signIn(native, person, berlin);
        const refused = await refresh(native, first, sydney);
        expect(refused.status).to.equal(name === 'json' ? 401 : 400);
        if (name !== 'json') expect(refused.body.error).to.equal('invalid_grant');
        expect(await sessionsOf(person)).to.deep.equal([]);
        const found = { signals: ['address-changed', 'impossible-travel'], action: 'second-factor', ip: sydney };
        expect(await risksOf(person)).to.deep.equal([found]);
        expect((await refresh(native, first, berlin)).status, 'at home').to.equal(refused.status);
        const headers = { authorization: `Bearer ${textOf(first, 'access_token')}` };
        expect((await fetch(`${server.url}/oauth2/userinfo`, { headers })).status, 'what is out').to.equal(401);
        const sent = await server.app.domains.notifications.list(500);
        const mails = sent.filter((mail) => mail.to === person.account.email && mail.template === 'unusual-activity');
        expect(mails.map(({ content }) => content?.subject)).to.deep.equal(['Unusual use of your account was ended']);
        const again = await native.post('login', { username: person.login, password: person.password }, at(sydney));
        expect(again.body).to.deep.include({ requires_2fa: true, methods: ['email'] });
      });

      it('are refused where nobody may come in, and the token is kept for home', async () => {
        const person = await createPerson(server);
        const first = await signIn(native, person, berlin);
        for (const ip of [blocked, changchun]) {
          const refused = await refresh(native, first, ip);
          expect(refused.status).to.equal(403);
          if (name !== 'json') expect(refused.body.error).to.equal('access_denied');
          expect(JSON.stringify(refused.body)).to.include('not possible from this network');
        }
        expect((await refresh(native, first, berlin)).status).to.equal(200);
        expect(await risksOf(person)).to.deep.equal([]);
      });
    });
  }

  it('say nothing of a person whose app is on a server', async () => {
    const person = await createPerson(server);
    let body = await signIn(web, person, berlin);
    for (const refresh of [ways.plain, ways.long, ways.json]) {
      const next = await refresh(web, body, sydney);
      expect(next.status, JSON.stringify(next.body)).to.equal(200);
      body = next.body;
    }
    expect((await ways.plain(web, body, blocked)).status).to.equal(200);
    expect(await risksOf(person)).to.deep.equal([]);
    expect((await sessionsOf(person))[0]?.lastIp).to.equal(berlin);
  });
});
