import { expect } from 'chai';
import { sha256 } from '../../src/shared/crypto.ts';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const begin = { response_type: 'code', code_challenge: sha256('x'), code_challenge_method: 'S256' };
const own = 'https://app.example';
/** A page of somebody else, of a neighbour host, of another scheme or port, and one that does not say where it is from. */
const foreign = ['https://evil.example', 'https://x.app.example', 'http://app.example', `${own}:8443`, 'null'];

/** docs/first-party.md: "browsers may call only from the origins of its redirect URIs". */
describe('first-party sign-in, called by a page of another origin', () => {
  let server: RunningApp;
  let app: DirectClient;
  before(async () => {
    server = await startApp();
    app = await DirectClient.register(server, { kind: 'spa', metadata: { redirect_uris: [`${own}/callback`] } });
  });
  after(() => server[Symbol.asyncDispose]());

  /** A simple request (Fetch §2.2.2): no preflight asks before it. */
  async function challenge(fields: Record<string, string>, origin?: string) {
    const from = { origin: origin ?? '', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    const response = await fetch(`${server.url}/oauth2/authorization-challenge`, {
      method: 'POST',
      headers: origin === undefined ? {} : from,
      body: new URLSearchParams({ client_id: app.id, ...fields }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body };
  }

  it('takes no password at the authorization challenge endpoint, and counts none', async () => {
    const { login, password } = await createPerson(server);
    for (const origin of foreign) {
      for (const given of [password, 'wrong', 'wrong again']) {
        const { status, headers, body } = await challenge({ ...begin, username: login, password: given }, origin);
        expect(status, origin).to.equal(403);
        expect(body).to.have.all.keys('error', 'error_description');
        expect(body.error).to.equal('unauthorized_client');
        expect(headers.get('access-control-allow-origin')).to.equal(null);
      }
    }
    expect((await app.login({ login, password })).status).to.equal(200);
  });

  it('goes on with no sign-in there that was begun elsewhere', async () => {
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const { login, password } = person;
    const first = await challenge({ ...begin, username: login, password });
    const next = { auth_session: textOf(first.body, 'auth_session') };
    for (const fields of [{ otp: '000000' }, { challenge: 'email_code' }, { challenge: 'passkey' }]) {
      const { status, body } = await challenge({ ...next, ...fields }, 'https://evil.example');
      expect([status, body.error]).to.deep.equal([403, 'unauthorized_client']);
    }
    const last = await challenge({ ...next, otp: await code() });
    expect(last.body).to.have.property('authorization_code');
  });

  it('is as ever for an app without pages and for the app’s own', async () => {
    const { login, password } = await createPerson(server);
    for (const origin of [undefined, own]) {
      const { status, headers, body } = await challenge({ ...begin, username: login, password }, origin);
      expect(status, origin).to.equal(200);
      expect(body).to.have.property('authorization_code');
      expect(headers.get('access-control-allow-origin')).to.equal(null);
    }
  });

  it('does nothing at any other of its endpoints', async () => {
    const { login, password } = await createPerson(server);
    const { body: tokens } = await app.login({ login, password });
    const challenge_id = 'v1.k7d2';
    const refresh_token = textOf(tokens, 'refresh_token');
    const calls: Record<string, object> = {
      login: { username: login, password },
      'login/2fa': { challenge_id, code: '000000' },
      'login/2fa/email': { challenge_id },
      'login/2fa/passkey': { challenge_id },
      refresh: { refresh_token },
      logout: { refresh_token, all: true },
    };
    for (const [path, fields] of Object.entries(calls)) {
      for (const origin of foreign) expect((await app.post(path, fields, { origin })).status, path).to.equal(403);
    }
    const refreshed = await app.post('refresh', { refresh_token }, { origin: own });
    expect(refreshed.status).to.equal(200);
    expect(refreshed.headers.get('access-control-allow-origin')).to.equal('*');
  });
});
