import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { DirectClient, type Reply, textOf } from '../support/direct-client.ts';
import { createApi, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';

const fifty = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 50 }, work));
const good = ({ status }: Reply): boolean => status === 200;

for (const lane of fullestStoreLane()) {
  describe(`sign-in by JSON on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let app: DirectClient;
    let person: Person;

    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_LIMIT_REFRESH: '100000',
        SALLYPORT_SESSION_LIMIT: '0',
      });
      app = await DirectClient.register(server);
      person = await createPerson(server);
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const userinfo = async (body: Record<string, unknown>): Promise<number> => {
      const authorization = `Bearer ${textOf(body, 'access_token')}`;
      return (await fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization } })).status;
    };
    const refreshAt = (client: DirectClient, body: Record<string, unknown>): Promise<Reply> =>
      client.form('/oauth2/token', { grant_type: 'refresh_token', refresh_token: textOf(body, 'refresh_token') });
    const sessionsOf = ({ account }: Person) => server.app.domains.sessions.list(account.id);
    const withTotp = async () => {
      const someone = await createPerson(server);
      return { ...someone, ...(await enrolTotp(server, someone.account.id, someone.login)) };
    };
    const challengeOf = async (someone: Person, client = app): Promise<string> => {
      const { status, body } = await client.login(someone);
      expect(status, JSON.stringify(body)).to.equal(200);
      expect(body).to.include({ requires_2fa: true }).and.not.have.property('access_token');
      return textOf(body, 'challenge_id');
    };

    it('gives ordinary tokens of the client for a password', async () => {
      const { status, body, headers } = await app.login(person, { scope: 'openid email', nonce: 'n-1' });
      expect(status, JSON.stringify(body)).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body).to.include({ token_type: 'Bearer', scope: 'openid email' });
      const claims = decodeJwt(textOf(body, 'id_token'));
      expect(claims).to.deep.include({ sub: person.account.id, aud: app.id, nonce: 'n-1', acr: 'aal1', amr: ['pwd'] });
      expect(await userinfo(body)).to.equal(200);
      const items = await server.app.domains.audit.list({ subject: person.account.id, limit: 20 });
      for (const type of ['sign_in.succeeded', 'token.issued']) {
        expect(
          items.find((event) => event.type === type),
          type,
        ).to.include({ clientId: app.id });
      }
    });

    it('gives tokens that last to whoever signs in right after all was ended', async () => {
      const someone = await createPerson(server);
      for (let round = 0; round < 3; round += 1) {
        await server.app.domains.sessions.endAll(someone.account.id, { kind: 'account', id: someone.account.id });
        const { status, body } = await app.login(someone);
        expect(status, JSON.stringify(body)).to.equal(200);
        expect(await userinfo(body)).to.equal(200);
      }
    });

    it('gives nothing for a password that was replaced before the second factor came', async () => {
      const someone = await withTotp();
      const challenge_id = await challengeOf(someone);
      await server.app.domains.credentials.setPassword(someone.account.id, `${someone.password} more`);
      const { status } = await app.post('login/2fa', { challenge_id, code: await someone.code() });
      expect(status).to.equal(410);
      expect(await sessionsOf(someone)).to.have.length(0);
    });

    it('is over when the challenge is too old', async () => {
      const someone = await withTotp();
      const challenge_id = await challengeOf(someone);
      await server.app.database.sql('sign_in_flow').update({ challenge_ends_at: new Date(0) });
      expect((await app.post('login/2fa', { challenge_id, code: await someone.code() })).status).to.equal(410);
      const again = { challenge_id: await challengeOf(someone), code: await someone.code() };
      await server.app.database.sql('sign_in_flow').update({ expires_at: new Date(0) });
      expect((await app.post('login/2fa', again)).status).to.equal(410);
    });

    it('rotates, introspects and revokes them like any others, of confidential clients too', async () => {
      const own = await DirectClient.register(server, {
        kind: 'web',
        metadata: { redirect_uris: ['https://app.example/callback'] },
      });
      const first = (await own.login(person)).body;
      const introspect = async (token: string) => (await own.form('/oauth2/introspect', { token })).body;
      expect(await introspect(textOf(first, 'access_token'))).to.include({
        active: true,
        sub: person.account.id,
        client_id: own.id,
      });
      const second = await own.post('refresh', { refresh_token: textOf(first, 'refresh_token') });
      expect(second.status, JSON.stringify(second.body)).to.equal(200);
      const third = await refreshAt(own, second.body);
      expect(third.status).to.equal(200);
      const fourth = await own.post('refresh', { refresh_token: textOf(third.body, 'refresh_token') });
      expect(fourth.status).to.equal(200);
      expect(await introspect(textOf(fourth.body, 'refresh_token'))).to.include({ active: true });
      const ended = await own.form('/oauth2/revoke', { token: textOf(fourth.body, 'refresh_token') });
      expect(ended.status).to.equal(200);
      for (const name of ['refresh_token', 'access_token']) {
        expect(await introspect(textOf(fourth.body, name)), name).to.deep.equal({ active: false });
      }
      expect((await own.post('refresh', { refresh_token: textOf(fourth.body, 'refresh_token') })).status).to.equal(401);
    });

    it('ends the family and the session when a refresh token is used twice', async () => {
      const someone = await createPerson(server);
      const strict = await DirectClient.register(server, { strictRefresh: true });
      const first = (await strict.login(someone)).body;
      const token = textOf(first, 'refresh_token');
      const second = await strict.post('refresh', { refresh_token: token });
      expect(second.status).to.equal(200);
      expect(await sessionsOf(someone)).to.have.length(1);
      expect((await strict.post('refresh', { refresh_token: token })).status).to.equal(401);
      expect((await refreshAt(strict, second.body)).status).to.equal(400);
      expect(await sessionsOf(someone)).to.have.length(0);
    });

    it('names the API of a resource, and asks for what it asks for', async () => {
      const resource = await createApi(server);
      const own = await DirectClient.register(server, { apis: { [resource]: ['notes:read'] } });
      const { body } = await own.login(person, { scope: 'openid notes:read', resource });
      const claims = decodeJwt(textOf(body, 'access_token'));
      expect(claims).to.include({ aud: resource, sub: person.account.id, scope: 'notes:read', acr: 'aal1' });
      expect((await own.login(person, { scope: 'notes:write', resource })).status).to.equal(422);
      expect((await own.login(person, { resource: 'https://other.example/' })).status).to.equal(422);
      const strong = await createApi(server, { requireSecondFactor: true });
      const strict = await DirectClient.register(server, { apis: { [strong]: [] } });
      const answer = await strict.login(person, { resource: strong });
      expect(answer.body).to.deep.equal({
        requires_action: 'enroll_second_factor',
        url: `${server.url}/account/two-step`,
      });
    });

    it('wants the second factor and says so only after the password', async () => {
      const someone = await withTotp();
      expect((await app.login({ ...someone, password: 'wrong' })).body).to.not.have.property('requires_2fa');
      const challenge = await challengeOf(someone);
      const wrong = await app.post('login/2fa', { challenge_id: challenge, code: '000000' });
      expect([wrong.status, wrong.body.fields]).to.deep.equal([401, { code: 'That code is not right.' }]);
      const done = await app.post('login/2fa', { challenge_id: challenge, code: await someone.code() });
      expect(done.status, JSON.stringify(done.body)).to.equal(200);
      const { acr, amr } = decodeJwt(textOf(done.body, 'id_token'));
      expect(acr).to.equal('aal2');
      expect(amr).to.have.members(['pwd', 'otp', 'mfa']);
      expect(await userinfo(done.body)).to.equal(200);
    });

    it('takes a backup code, once', async () => {
      const someone = await withTotp();
      const { backupCodes } = server.app.domains.credentials;
      const prepared = await backupCodes.prepare();
      await backupCodes.put(someone.account.id, prepared);
      const fields = { method: 'backup_code', code: prepared.codes[0] };
      const first = await app.post('login/2fa', { challenge_id: await challengeOf(someone), ...fields });
      expect(first.status, JSON.stringify(first.body)).to.equal(200);
      const again = await app.post('login/2fa', { challenge_id: await challengeOf(someone), ...fields });
      expect(again.status).to.equal(401);
    });

    it('gives one set of tokens to fifty codes at once, and none to a challenge that was used', async () => {
      const someone = await withTotp();
      const fields = { challenge_id: await challengeOf(someone), code: await someone.code() };
      const answers = await fifty(() => app.post('login/2fa', fields));
      expect(answers.filter(good)).to.have.length(1);
      expect(new Set(answers.filter((answer) => !good(answer)).map(({ status }) => status))).to.satisfy(
        (others: Set<number>) => [...others].every((status) => [401, 409, 410, 429].includes(status)),
      );
      expect(await sessionsOf(someone)).to.have.length(1);
      expect((await app.post('login/2fa', { ...fields, code: await someone.code(1) })).status).to.equal(410);
    });

    it('takes a challenge from nobody but its client, in no other place, and changed in no character', async () => {
      const someone = await withTotp();
      const other = await DirectClient.register(server);
      const challenge = await challengeOf(someone);
      const code = await someone.code();
      expect((await other.post('login/2fa', { challenge_id: challenge, code })).status).to.equal(410);
      expect((await app.post('login/2fa', { challenge_id: `${challenge.slice(0, -3)}AAA`, code })).status).to.equal(
        410,
      );
      const session = `${app.id}~${challenge}`;
      const elsewhere = await app.form('/oauth2/authorization-challenge', { auth_session: session, otp: code });
      expect(elsewhere.body).to.include({ error: 'invalid_session' });
      expect((await app.post('login/2fa', { challenge_id: challenge, code })).status).to.equal(200);
    });

    it('shows its session in the list, and ending that ends the tokens', async () => {
      const someone = await createPerson(server);
      const { body } = await app.login(someone);
      const [session, ...others] = await sessionsOf(someone);
      expect(others).to.deep.equal([]);
      expect(session).to.deep.include({ kind: 'api', amr: ['pwd'], acr: 'aal1', clientIds: [app.id] });
      await server.app.domains.sessions.end(session?.id ?? '', { kind: 'account', id: someone.account.id });
      expect(await userinfo(body)).to.equal(401);
      expect((await refreshAt(app, body)).status).to.equal(400);
      expect((await app.post('refresh', { refresh_token: textOf(body, 'refresh_token') })).status).to.equal(401);
    });

    it('signs out here or everywhere', async () => {
      const someone = await createPerson(server);
      const sets = await Promise.all([app.login(someone), app.login(someone), app.login(someone)]);
      const [one, two, three] = sets.map(({ body }) => body) as [Reply['body'], Reply['body'], Reply['body']];
      expect(await sessionsOf(someone)).to.have.length(3);
      const leave = (body: Reply['body'], all = false) =>
        app.post('logout', { refresh_token: textOf(body, 'refresh_token'), all });
      expect((await leave(one)).status).to.equal(204);
      expect([await userinfo(one), await userinfo(two)]).to.deep.equal([401, 200]);
      expect(await sessionsOf(someone)).to.have.length(2);
      expect((await leave(one)).status).to.equal(204);
      expect((await leave(one, true)).status).to.equal(401);
      const other = await DirectClient.register(server);
      expect((await other.post('logout', { refresh_token: textOf(two, 'refresh_token'), all: true })).status).to.equal(
        401,
      );
      await other.post('logout', { refresh_token: textOf(two, 'refresh_token') });
      expect(await userinfo(two)).to.equal(200);
      expect((await leave(two, true)).status).to.equal(204);
      expect([await userinfo(two), await userinfo(three)]).to.deep.equal([401, 401]);
      expect(await sessionsOf(someone)).to.have.length(0);
    });

    it('gives each of fifty right passwords at once a set of its own', async () => {
      const someone = await createPerson(server);
      const answers = await fifty(() => app.login(someone));
      const tokens = answers.filter(good).map(({ body }) => textOf(body, 'refresh_token'));
      expect(tokens).to.have.length(50);
      expect(new Set(tokens)).to.have.length(50);
      expect(await sessionsOf(someone)).to.have.length(50);
    }).timeout(60_000);
  });
}
