import { Agent, request } from 'node:http';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { AuditRow } from '../../src/audit/index.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, type Page, readForm, WebClient } from '../support/web-client.ts';
import { browserOf, tokenOf, withToken } from '../web/api-caller.ts';

const operator = { kind: 'operator' } as const;
const callback = 'https://app.example/callback';
const anyVersion = { 'if-match': '*' };

for (const lane of fullestStoreLane()) {
  describe(`the session that an audit event names, on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
        SALLYPORT_ACCESS_TOKEN_SECONDS: '300',
      });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const eventsOf = ({ account }: Person): Promise<AuditRow[]> =>
      server.app.domains.audit.list({ subject: account.id, limit: 200 });
    /** The newest of that type. */
    const eventOf = async (person: Person, type: AuditRow['type']): Promise<AuditRow> => {
      const events = await eventsOf(person);
      const found = events.find((event) => event.type === type);
      if (!found) throw new Error(`there is no ${type} among ${events.map((event) => event.type)}`);
      return found;
    };
    /** What was done in a session or told of it, oldest first; of one millisecond in any order. */
    const doneIn = async (sessionId: string): Promise<string[]> =>
      (await server.app.domains.auditReader.search({ sessionId }, { limit: 50, oldestFirst: true })).rows.map(
        ({ type }) => type,
      );
    const sessionsOf = async ({ account }: Person): Promise<string[]> =>
      (await server.app.domains.sessions.list(account.id)).map(({ id }) => id);
    /** Of somebody who is signed in once. */
    const sessionOf = async (person: Person): Promise<string> => {
      const [id = '', ...others] = await sessionsOf(person);
      expect(id).to.match(/^ses_/);
      expect(others).to.deep.equal([]);
      return id;
    };
    const enter = async (person: Person, path = '/account'): Promise<{ web: WebClient; page: Page }> => {
      const web = new WebClient(server.url);
      return { web, page: await signIn(web, await web.open(path), person) };
    };
    const createAdmin = async (): Promise<Person> => {
      const person = await createPerson(server);
      const { id, version } = person.account;
      await server.app.domains.accounts.update(id, version, { roles: ['admin'] }, operator);
      return person;
    };
    /** An app of somebody else, which people have to allow. */
    const createApp = async (input: Partial<Parameters<typeof createClient>[1]> = {}) => {
      const made = await createClient(server, { kind: 'web', metadata: { redirect_uris: [callback] }, ...input });
      const auth = oidc.ClientSecretBasic(made.secret);
      const registration = { issuer: server.url, clientId: made.client.id, auth, redirectUri: callback };
      return { ...made, relyingParty: await RelyingParty.discover(registration) };
    };
    const createKey = async ({ account }: Person): Promise<string> => {
      const owner = { kind: 'account', id: account.id } as const;
      const input = { owner, name: 'Script', audience: `${server.url}/api/v1`, scopes: ['account:write'] };
      return (await server.app.domains.apiKeys.create(input, operator)).text;
    };

    it('is that of the browser for a page of the account console', async () => {
      const person = await createPerson(server);
      const { web } = await enter(person);
      const page = expectPage(await web.open('/account/profile'), 'account-profile');
      await web.submit(page, { 'profile.given_name': 'Jonas' });
      expect(await eventOf(person, 'account.updated')).to.include({ sessionId: await sessionOf(person) });
      expect(await eventOf(person, 'account.created')).not.to.have.property('sessionId');
    });

    it('is that of the browser for a call of the API by a page of ours', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      expect((await ask('PATCH', '/me', { name: 'Jonas' }, anyVersion)).status).to.equal(200);
      expect(await eventOf(person, 'account.updated')).to.include({ sessionId: await sessionOf(person) });
    });

    it('is that of its token for a call by an app, and none for a call by a key', async () => {
      const person = await createPerson(server);
      await enter(person);
      const before = await sessionsOf(person);
      const ask = withToken(server, await tokenOf(server, person));
      const [session] = (await sessionsOf(person)).filter((id) => !before.includes(id));
      expect((await ask('PATCH', '/me', { name: 'Jonas' }, anyVersion)).status).to.equal(200);
      expect(await eventOf(person, 'account.updated')).to.include({ sessionId: session });
      expect((await ask('GET', '/me/export')).status).to.equal(200);
      expect(await eventOf(person, 'account.exported')).to.include({ sessionId: session });
      expect(
        (await withToken(server, await createKey(person))('PATCH', '/me', { name: 'Ida' }, anyVersion)).status,
      ).to.equal(200);
      expect(await eventOf(person, 'account.updated')).not.to.have.property('sessionId');
    });

    it('is the new one from a sign-in on, through consent, code, refresh, reuse and logout', async () => {
      const person = await createPerson(server);
      const { relyingParty } = await createApp();
      const { config } = relyingParty;
      const web = new WebClient(server.url);
      const attempt = await relyingParty.request({ scope: 'openid email offline_access', prompt: 'consent' });
      const back = await allow(web, await signIn(web, await web.open(attempt.url), person));
      const session = await sessionOf(person);
      const tokens = await relyingParty.redeem(back.url, attempt);
      expect(await doneIn(session)).to.have.members([
        'sign_in.succeeded',
        'device.first_seen',
        'consent.granted',
        'token.issued',
      ]);

      const next = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
      await oidc.refreshTokenGrant(config, next.refresh_token ?? '');
      await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '').catch(() => undefined);
      const ended = (await doneIn(session)).slice(4);
      expect(ended).to.include('token.reuse_detected').and.include('grant.revoked');
      expect(await eventOf(person, 'token.reuse_detected')).to.include({ sessionId: session });

      const logout = expectPage(await web.open('/oauth2/logout'), 'logout');
      await web.submit(logout, { logout: 'yes' }, 'xsrf');
      expect(await eventOf(person, 'session.ended')).to.include({ sessionId: session });
      for (const event of await eventsOf(person)) {
        if (event.sessionId !== undefined) expect(event.sessionId, event.type).to.equal(session);
      }
    });

    it('is that of the token which its app revokes, and of the code that is used twice', async () => {
      const person = await createPerson(server);
      const { relyingParty } = await createApp({ firstParty: true });
      const web = new WebClient(server.url);
      const first = await relyingParty.request({ scope: 'openid offline_access' });
      const back = await signIn(web, await web.open(first.url), person);
      const session = await sessionOf(person);
      const tokens = await relyingParty.redeem(back.url, first);
      await oidc.tokenRevocation(relyingParty.config, tokens.refresh_token ?? '');
      expect(await doneIn(session)).to.have.members([
        'sign_in.succeeded',
        'device.first_seen',
        'token.issued',
        'grant.revoked',
      ]);

      // In a session that is there already.
      const second = await relyingParty.request({ scope: 'openid' });
      const again = await web.open(second.url);
      await relyingParty.redeem(again.url, second);
      await relyingParty.redeem(again.url, second).catch(() => {});
      expect((await doneIn(session)).slice(4)).to.include.members(['token.issued', 'token.reuse_detected']);
      expect(await sessionOf(person)).to.equal(session);
    });

    it('is the one that ends for a sign-out, with the grants that end with it', async () => {
      const person = await createPerson(server);
      const { relyingParty } = await createApp({ firstParty: true });
      const web = new WebClient(server.url);
      const attempt = await relyingParty.request();
      const back = await signIn(web, await web.open(attempt.url), person);
      await relyingParty.redeem(back.url, attempt);
      const session = await sessionOf(person);
      const logout = expectPage(await web.open('/oauth2/logout'), 'logout');
      await web.submit(logout, { logout: 'yes' }, 'xsrf');
      expect((await doneIn(session)).slice(3).sort()).to.deep.equal(['grant.revoked', 'session.ended']);
    });

    it('is never that of who was signed in to the browser before', async () => {
      const [first, second] = [await createPerson(server), await createPerson(server)];
      const { relyingParty } = await createApp({ firstParty: true });
      const { web } = await enter(first);
      const before = await sessionOf(first);
      const attempt = await relyingParty.request({ prompt: 'login' });
      const login = expectPage(await web.open(attempt.url), 'login');
      const wrong = await signIn(web, login, { ...second, password: 'not the password' });
      // The one before is signed out on the way, by a form that a script would send.
      const form = readForm((await signIn(web, wrong, second)).text);
      await web.post(form.action, form.fields);
      const own = await sessionOf(second);
      expect(own).not.to.equal(before);
      for (const event of await eventsOf(second)) {
        if (event.sessionId !== undefined) expect(event.sessionId, event.type).to.equal(own);
      }
      expect(await eventOf(second, 'sign_in.failed')).not.to.have.property('sessionId');
      expect(await eventOf(second, 'device.first_seen')).to.include({ sessionId: own });
    });

    it('is that of a direct sign-in, by both of its endpoints and until its app signs out', async () => {
      const person = await createPerson(server);
      const app = await DirectClient.register(server);
      const { body } = await app.login(person, { scope: 'openid' });
      const session = await sessionOf(person);
      const refresh = { grant_type: 'refresh_token', refresh_token: textOf(body, 'refresh_token') };
      const { body: next } = await app.form('/oauth2/token', refresh);
      await app.post('logout', { refresh_token: textOf(next, 'refresh_token') });
      expect([...new Set(await doneIn(session))]).to.have.members([
        'sign_in.succeeded',
        'token.issued',
        'grant.revoked',
        'session.ended',
      ]);

      const verifier = 'v'.repeat(50);
      const { body: code } = await app.form('/oauth2/authorization-challenge', {
        ...{ response_type: 'code', code_challenge: sha256(verifier), code_challenge_method: 'S256' },
        ...{ scope: 'openid', username: person.login, password: person.password },
      });
      const challenged = await sessionOf(person);
      await app.form('/oauth2/token', {
        ...{ grant_type: 'authorization_code', code: textOf(code, 'authorization_code'), code_verifier: verifier },
      });
      expect(await doneIn(challenged)).to.have.members(['sign_in.succeeded', 'token.issued']);
    });

    it('is that of the person for tokens that services exchange among them', async () => {
      const person = await createPerson(server);
      const [gate, orders, billing] = [await createApi(server), await createApi(server), await createApi(server)];
      const { relyingParty } = await createApp({ firstParty: true, apis: { [gate]: [] } });
      const services = [
        await createClient(server, { kind: 'service', apis: { [gate]: [] } }),
        await createClient(server, { kind: 'service', apis: { [orders]: [] } }),
      ];
      const web = new WebClient(server.url);
      const attempt = await relyingParty.request({ scope: 'openid notes:read', resource: gate });
      const back = await signIn(web, await web.open(attempt.url), person);
      let token = (await relyingParty.redeem(back.url, attempt, { resource: gate })).access_token;
      for (const [index, { client, secret }] of services.entries()) {
        const target = [orders, billing][index] ?? '';
        const right = { clientId: client.id, target, mode: 'delegation', scopes: ['notes:read'] } as const;
        await server.app.domains.exchangeRights.allow(right, operator);
        const answer = await fetch(`${server.url}/oauth2/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${client.id}:${secret}`)}` },
          body: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            audience: target,
          }),
        });
        token = textOf((await answer.json()) as Record<string, unknown>, 'access_token');
      }
      const done = await doneIn(await sessionOf(person));
      expect(done.slice(2)).to.deep.equal(['token.issued', 'token.exchanged', 'token.exchanged']);
    });

    it('is the one that is ended for the end of another’s, and the administrator’s own for the rest', async () => {
      const [admin, person] = [await createAdmin(), await createPerson(server)];
      await enter(person);
      const theirs = await sessionOf(person);
      const { web } = await enter(admin, `/admin/sessions?q=${person.login}`);
      const own = await sessionOf(admin);
      const page = expectPage(await web.open(`/admin/sessions?q=${person.login}`), 'admin-sessions');
      await web.submit(page, { session: theirs, action: 'end' }, 'session');
      expect(await eventOf(person, 'session.ended')).to.deep.include({
        sessionId: theirs,
        actor: { kind: 'account', id: admin.account.id },
      });
      const lines = (await (await web.fetch(`/admin/audit/export?format=jsonl&q=${theirs}`)).text()).trim().split('\n');
      expect(lines.map((line) => JSON.parse(line).type)).to.have.members([
        'sign_in.succeeded',
        'device.first_seen',
        'session.ended',
      ]);
      const { rows } = await server.app.domains.auditReader.search({ sessionId: own }, { limit: 50 });
      expect(rows.map(({ type }) => type))
        .to.include('audit.exported')
        .and.not.include('session.ended');
      const found = expectPage(await web.open(`/admin/audit?q=${own}`), 'admin-audit');
      expect(found.text.match(/<tr role="row"><td/g)).to.have.length(rows.length);
    });

    it('does not go over to the next request on the same connection', async () => {
      const person = await createPerson(server);
      const [token, key] = [await tokenOf(server, person), await createKey(person)];
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const send = (bearer: string, name: string) =>
        new Promise<{ status: number; port: number }>((resolve, reject) => {
          const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...anyVersion };
          const sent = request(`${server.url}/api/v1/me`, { method: 'PATCH', agent, headers }, (answer) => {
            const { localPort: port = 0 } = answer.socket;
            answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, port }));
          });
          sent.on('error', reject).end(JSON.stringify({ name }));
        });
      const session = await sessionOf(person);
      const answers = [
        await send(token, 'One'),
        await send(key, 'Two'),
        await send(token, 'Three'),
        await send(key, 'Four'),
      ];
      agent.destroy();
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
      expect(new Set(answers.map(({ port }) => port)).size).to.equal(1);
      const changes = (await eventsOf(person)).filter(({ type }) => type === 'account.updated').reverse();
      expect(changes.map(({ sessionId }) => sessionId)).to.deep.equal([session, undefined, session, undefined]);
    });
  });
}
