import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { sha256 } from '../../src/shared/crypto.ts';
import { DirectClient, type Reply, textOf } from '../support/direct-client.ts';
import { createApi, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const begin = { response_type: 'code', code_challenge: sha256(verifier), code_challenge_method: 'S256' };
const path = '/oauth2/authorization-challenge';

for (const lane of fullestStoreLane()) {
  describe(`the authorization challenge endpoint on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let app: DirectClient;
    let person: Person;

    before(async () => {
      server = await startApp({ ...(await lane.env(stack)), SALLYPORT_SESSION_LIMIT: '0' });
      app = await DirectClient.register(server);
      person = await createPerson(server);
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const ask = (fields: Record<string, string>, client = app): Promise<Reply> => client.form(path, fields);
    const named = ({ login, password }: Person) => ({ username: login, password });
    const redeem = (code: string, extra: Record<string, string> = {}, client = app): Promise<Reply> =>
      client.form('/oauth2/token', { grant_type: 'authorization_code', code, code_verifier: verifier, ...extra });
    const withTotp = async () => {
      const someone = await createPerson(server);
      return { ...someone, ...(await enrolTotp(server, someone.account.id, someone.login)) };
    };

    it('is announced, and takes nothing but POST', async () => {
      const metadata = await (await fetch(`${server.url}/.well-known/oauth-authorization-server`)).json();
      expect(metadata).to.include({ authorization_challenge_endpoint: `${server.url}${path}` });
      const other = await fetch(`${server.url}${path}`);
      expect([other.status, other.headers.get('allow')]).to.deep.equal([405, 'POST']);
      const foreign = await fetch(`${server.url}${path}`, { method: 'POST', headers: { origin: 'https://x.example' } });
      expect(foreign.headers.get('access-control-allow-origin')).to.equal(null);
    });

    it('gives a code that is redeemed once, with its verifier, and without a redirect URI', async () => {
      const { status, body, headers } = await ask({
        ...begin,
        ...named(person),
        scope: 'openid profile',
        nonce: 'n-2',
      });
      expect(status, JSON.stringify(body)).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(Object.keys(body)).to.deep.equal(['authorization_code']);
      const code = textOf(body, 'authorization_code');
      expect((await redeem(code, { code_verifier: `${verifier}x` })).body).to.include({ error: 'invalid_grant' });
      expect((await redeem(code, { redirect_uri: 'http://127.0.0.1/callback' })).body).to.include({
        error: 'invalid_grant',
      });
      const other = await DirectClient.register(server);
      expect((await redeem(code, {}, other)).status).to.equal(400);
      const tokens = await redeem(code);
      expect(tokens.status, JSON.stringify(tokens.body)).to.equal(200);
      expect(decodeJwt(textOf(tokens.body, 'id_token'))).to.include({ sub: person.account.id, nonce: 'n-2' });
      expect((await redeem(code)).body).to.include({ error: 'invalid_grant' });
    });

    it('leaves ordinary codes their redirect URI', async () => {
      const { status, body } = await redeem('ac_unknown');
      expect(status).to.equal(400);
      expect(body).to.include({ error: 'invalid_request' });
    });

    it('asks for one thing after the other', async () => {
      const someone = await withTotp();
      const start = await ask(begin);
      expect(start.status).to.equal(403);
      expect(start.body).to.deep.include({ error: 'insufficient_authorization', challenges: ['password'] });
      const session = textOf(start.body, 'auth_session');
      const wrong = await ask({ auth_session: session, ...named({ ...someone, password: 'wrong' }) });
      expect(wrong.status).to.equal(403);
      expect(wrong.body).to.deep.include({ error: 'insufficient_authorization', challenges: ['password'] });
      const second = await ask({ auth_session: session, ...named(someone) });
      expect(second.body.challenges).to.include('otp');
      const next = textOf(second.body, 'auth_session');
      const guess = await ask({ auth_session: next, otp: '000000' });
      expect([guess.status, guess.body.error]).to.deep.equal([403, 'insufficient_authorization']);
      const done = await ask({ auth_session: next, otp: await someone.code() });
      expect(done.status, JSON.stringify(done.body)).to.equal(200);
      const tokens = await redeem(textOf(done.body, 'authorization_code'));
      expect(decodeJwt(textOf(tokens.body, 'id_token'))).to.include({ acr: 'aal2' });
      expect((await ask({ auth_session: next, otp: await someone.code(1) })).body).to.include({
        error: 'invalid_session',
      });
    });

    it('knows a public client by its session, and takes it from no other client', async () => {
      const someone = await withTotp();
      const { body } = await ask({ ...begin, ...named(someone) });
      const session = textOf(body, 'auth_session');
      const other = await DirectClient.register(server);
      const stolen = await ask({ auth_session: session, otp: await someone.code() }, other);
      expect([stolen.status, stolen.body.error]).to.deep.equal([400, 'invalid_session']);
      const answer = await fetch(`${server.url}${path}`, {
        method: 'POST',
        body: new URLSearchParams({ auth_session: session, otp: await someone.code() }),
      });
      expect(answer.status).to.equal(200);
    });

    it('refuses clients that are not marked, and requests that are not whole', async () => {
      const plain = await DirectClient.register(server, { directSignIn: false });
      expect((await ask({ ...begin, ...named(person) }, plain)).body).to.include({ error: 'unauthorized_client' });
      const { code_challenge: _none, ...unbound } = begin;
      for (const [fields, error] of [
        [{ ...unbound, ...named(person) }, 'invalid_request'],
        [{ ...begin, response_type: 'token' }, 'invalid_request'],
        [{ ...begin, scope: 'openid other' }, 'invalid_scope'],
        [{ ...begin, resource: 'https://other.example/' }, 'invalid_target'],
        [{ auth_session: 'nothing' }, 'invalid_session'],
        [{ auth_session: `${app.id}~v1.a.b.c` }, 'invalid_session'],
      ] as const) {
        const { status, body } = await ask(fields as Record<string, string>);
        expect([status, body.error], JSON.stringify(fields)).to.deep.equal([400, error]);
      }
      const own = await DirectClient.register(server, {
        kind: 'web',
        metadata: { redirect_uris: ['https://app.example/callback'] },
      });
      const impostor = new DirectClient(own.url, own.id, 'not the secret');
      const refused = await ask({ ...begin, ...named(person) }, impostor);
      expect([refused.status, refused.body.error]).to.deep.equal([401, 'invalid_client']);
      expect(refused.headers.get('www-authenticate')).to.match(/^Basic/);
      expect((await ask({ ...begin, ...named(person) }, own)).status).to.equal(200);
    });

    it('sends the app to the pages when only they can help, with the request pushed for it', async () => {
      const resource = await createApi(server, { requireSecondFactor: true });
      const strict = await DirectClient.register(server, { apis: { [resource]: [] } });
      const { status, body } = await ask({ ...begin, ...named(person), resource, scope: 'openid notes:read' }, strict);
      expect([status, body.error]).to.deep.equal([403, 'redirect_to_web']);
      const address = new URLSearchParams({ client_id: strict.id, request_uri: textOf(body, 'request_uri') });
      const web = new WebClient(server.url);
      expectPage(await web.open(`/oauth2/authorize?${address}`), 'login');
    });

    it('gives one code to fifty requests at once', async () => {
      const someone = await withTotp();
      const { body } = await ask({ ...begin, ...named(someone) });
      const fields = { auth_session: textOf(body, 'auth_session'), otp: await someone.code() };
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(fields)));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    });
  });
}
