import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createRevocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { createSqlActivityStore } from '../../src/sessions/activity-store-sql.ts';
import { createSessions } from '../../src/sessions/index.ts';
import { createSqlSessionStore } from '../../src/sessions/session-store-sql.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

for (const lane of fullestStoreLane()) {
  describe(`sessions of real browsers on ${lane.name}`, function () {
    this.timeout(60_000);
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let app: RelyingParty;
    let clientId: string;
    let service: { client: { id: string }; secret: string };

    before(async () => {
      server = stack.use(await startApp(await lane.env(stack)));
      const { client } = await createClient(server, { kind: 'spa', metadata: { redirect_uris: [redirectUri] } });
      clientId = client.id;
      app = await RelyingParty.discover({ issuer: server.url, clientId, auth: oidc.None(), redirectUri });
      service = await createClient(server, { kind: 'service', mayIntrospect: true } as never);
    });
    after(() => stack.disposeAsync());

    const post = (path: string, fields: Record<string, string>, headers = {}): Promise<Response> =>
      fetch(`${server.url}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers });

    async function browser(person: Person, scope = 'openid offline_access') {
      const web = new WebClient(server.url, { 'user-agent': userAgent });
      const attempt = await app.request({ scope, ...(scope.includes('offline') && { prompt: 'consent' }) });
      let page = await signIn(web, await web.open(attempt.url), person);
      if (page.name === 'consent') page = await allow(web, page);
      const tokens = await app.redeem(page.url, attempt);
      const basic = Buffer.from(`${service.client.id}:${service.secret}`).toString('base64');
      return {
        web,
        tokens,
        refresh: async () =>
          (
            await post('/oauth2/token', {
              client_id: clientId,
              grant_type: 'refresh_token',
              refresh_token: tokens.refresh_token ?? '',
            })
          ).status,
        active: async () => {
          const fields = { token: tokens.access_token };
          const answer = await post('/oauth2/introspect', fields, { authorization: `Basic ${basic}` });
          return ((await answer.json()) as { active: boolean }).active;
        },
        userinfo: async () =>
          (
            await fetch(`${server.url}/oauth2/userinfo`, {
              headers: { authorization: `Bearer ${tokens.access_token}` },
            })
          ).status,
        silent: async () =>
          (await web.open((await app.request({ prompt: 'none' })).url)).url.searchParams.get('error') ?? 'signed in',
      };
    }

    const all = async (one: Awaited<ReturnType<typeof browser>>) => ({
      silent: await one.silent(),
      active: await one.active(),
      userinfo: await one.userinfo(),
      refresh: await one.refresh(),
    });
    const good = { silent: 'signed in', active: true, userinfo: 200, refresh: 200 };
    const dead = { silent: 'login_required', active: false, userinfo: 401, refresh: 400 };

    it('appear with browser, address, factors and app', async () => {
      const person = await createPerson(server);
      const one = await browser(person);
      const [session, ...more] = await server.app.domains.sessions.list(person.account.id);
      expect(more).to.deep.equal([]);
      expect(session).to.deep.include({ browser: 'Firefox', os: 'Linux', amr: ['pwd'], acr: 'aal1', kind: 'browser' });
      expect(session?.clientIds).to.deep.equal([clientId]);
      expect(session?.ip).to.match(/127\.0\.0\.1/);
      expect((session?.expiresAt ?? 0) - (session?.authenticatedAt ?? 0)).to.equal(14 * 86_400_000);
      expect(one.web.cookies().get('sp_device')).to.match(/^[\w-]{22}$/);
      const [device] = await server.app.domains.devices.listKnown(person.account.id);
      expect(device?.deviceHash).to.equal(session?.deviceHash);
    });

    it('end one by one: cookie, refresh token and access token of that one, and no other', async () => {
      const person = await createPerson(server);
      const one = await browser(person);
      const other = await browser(person);
      const { sessions, audit } = server.app.domains;
      const listed = await sessions.list(person.account.id);
      expect(listed).to.have.length(2);
      expect(await sessions.end(listed[1]?.id ?? '', operator)).to.equal(true);
      expect(await all(one)).to.deep.equal(dead);
      expect(await all(other)).to.deep.equal(good);
      expect(await audit.list({ subject: person.account.id, type: 'session.ended', limit: 9 })).to.have.length(1);
    });

    it('come again after a new sign-in in the same browser', async () => {
      const person = await createPerson(server);
      const one = await browser(person);
      const { sessions } = server.app.domains;
      const [first] = await sessions.list(person.account.id);
      await sessions.end(first?.id ?? '', operator);
      const attempt = await app.request({ scope: 'openid' });
      let page = await signIn(one.web, await one.web.open(attempt.url), person);
      if (page.name === 'consent') page = await allow(one.web, page);
      const tokens = await app.redeem(page.url, attempt);
      expect(
        (await fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } }))
          .status,
      ).to.equal(200);
      expect(await one.silent()).to.equal('signed in');
      expect((await sessions.list(person.account.id)).map(({ id }) => id))
        .to.have.length(1)
        .and.not.include(first?.id);
    });

    it('end all at once, and are one for each sign-in up to the limit', async () => {
      const person = await createPerson(server);
      const browsers = [];
      for (let index = 0; index < 6; index += 1) browsers.push(await browser(person));
      const { sessions } = server.app.domains;
      expect(await sessions.list(person.account.id)).to.have.length(5);
      expect(await browsers[0]?.silent()).to.equal('login_required');
      expect(await browsers[0]?.refresh()).to.equal(400);
      expect(await browsers[5]?.silent()).to.equal('signed in');
      expect(await sessions.endAll(person.account.id, operator)).to.equal(5);
      for (const one of browsers) expect(await all(one)).to.deep.equal(dead);
    });

    it('end with a sign-out and with a new password', async () => {
      const person = await createPerson(server);
      const one = await browser(person);
      const page = await one.web.open('/oauth2/logout');
      await one.web.submit(page, { logout: 'yes' }, 'xsrf');
      const { sessions, audit, credentials } = server.app.domains;
      expect(await sessions.list(person.account.id)).to.deep.equal([]);
      const ended = await audit.list({ subject: person.account.id, type: 'session.ended', limit: 9 });
      expect(ended.map(({ details }) => details?.reason)).to.deep.equal(['signed-out']);
      expect(await one.refresh(), 'offline access stays').to.equal(200);
      const next = await browser(person);
      await credentials.setPassword(person.account.id, 'a whole other password', { actor: operator });
      expect(await sessions.list(person.account.id)).to.deep.equal([]);
      expect(await all(next)).to.deep.equal(dead);
    });

    it('end where nobody can throw the tokens away, and come again with good ones', async () => {
      const person = await createPerson(server);
      const one = await browser(person);
      const { database, domains } = server.app;
      const audit = createAuditLog(createSqlAuditStore(database), systemClock);
      // A command line without a server, or a node whose Redis is away.
      const elsewhere = createSessions({
        store: createSqlSessionStore(database),
        activity: createSqlActivityStore(database),
        revocations: createRevocations({ store: createSqlRevocationStore(database), clock: systemClock, audit }),
        audit,
        clock: systemClock,
        policy: {
          limit: 5,
          onLimit: 'end-oldest',
          idleSeconds: 0,
          absoluteSeconds: 86_400,
          pendingSeconds: 600,
          grantSeconds: 86_400,
        },
        logger: silentLogger(),
      });
      const [session] = await domains.sessions.list(person.account.id);
      expect(await elsewhere.end(session?.id ?? '', operator)).to.equal(true);
      await domains.revocations.refresh();
      expect(await all(one)).to.deep.equal(dead);

      await delay(1100); // Sign-ins are dated by the second: one in the same second counts as ended with it.
      const attempt = await app.request({ scope: 'openid offline_access', prompt: 'consent' });
      let page = await signIn(one.web, await one.web.open(attempt.url), person);
      if (page.name === 'consent') page = await allow(one.web, page);
      const tokens = await app.redeem(page.url, attempt);
      const fields = { client_id: clientId, grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
      expect((await post('/oauth2/token', fields)).status).to.equal(200);
      expect(await one.silent()).to.equal('signed in');
      expect(await one.refresh(), 'the old ones stay dead').to.equal(400);
      expect(await domains.sessions.list(person.account.id)).to.have.length(1);
    });

    it('are refused beyond the limit where that is the policy', async () => {
      await using strict = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_SESSION_LIMIT: '1',
        SALLYPORT_SESSION_LIMIT_POLICY: 'refuse',
      });
      const { client } = await createClient(strict, { kind: 'spa', metadata: { redirect_uris: [redirectUri] } });
      const party = await RelyingParty.discover({
        issuer: strict.url,
        clientId: client.id,
        auth: oidc.None(),
        redirectUri,
      });
      const person = await createPerson(strict);
      const enter = async () => {
        const web = new WebClient(strict.url);
        return signIn(web, await web.open((await party.request()).url), person);
      };
      expect((await enter()).name).to.equal('consent');
      const refused = await enter();
      expect([refused.status, refused.name]).to.deep.equal([403, 'error']);
      expect(refused.text).to.contain('signed in at 1 place');
      expect(await strict.app.domains.sessions.list(person.account.id)).to.have.length(1);
    });

    it('hold their limit for 20 browsers of one account at once', async () => {
      const person = await createPerson(server);
      const waiting = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const web = new WebClient(server.url);
          const attempt = await app.request({ scope: 'openid' });
          return { web, attempt, page: await web.open(attempt.url) };
        }),
      );
      const done = await Promise.all(
        waiting.map(async ({ web, page }) => {
          const next = await signIn(web, page, person);
          return next.name === 'consent' ? allow(web, next) : next;
        }),
      );
      expect(done.filter(({ url }) => url.searchParams.has('code')).length).to.be.at.least(5);
      expect(await server.app.domains.sessions.list(person.account.id)).to.have.length(5);
      const silent = await Promise.all(
        waiting.map(async ({ web }) =>
          (await web.open((await app.request({ prompt: 'none' })).url)).url.searchParams.get('error'),
        ),
      );
      expect(silent.filter((error) => error === null)).to.have.length(5);
    });
  });
}
