import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson } from '../support/people.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { type Attempt, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { readForm, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
/** Milliseconds that an answer may take. */
const bound = 2_000;
const unlimited = {
  SALLYPORT_LIMIT_SIGN_IN: '1000',
  SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
  SALLYPORT_LIMIT_REFRESH: '1000',
};
const { TEST_DATABASE_URL: sql, TEST_REDIS_URL: redis } = process.env;

interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** Nobody listens any more, and who was connected is not. */
  refuse(): Promise<void>;
  /** What is connected gets no answer any more, for ever, and who connects gets none either. */
  hang(): void;
  /** Serves those who connect from now on. */
  comeBack(): Promise<void>;
}

/** Stands between a server and its PostgreSQL. */
async function startProxy(target: string): Promise<Proxy> {
  const to = new URL(target);
  const open = new Map<Socket, { silent: boolean }>();
  let hangs = false;
  const serve = (socket: Socket): void => {
    const state = { silent: hangs };
    open.set(socket, state);
    const behind = connect(Number(to.port || 5432), to.hostname).on('error', () => undefined);
    socket.on('data', (data) => !state.silent && behind.write(data));
    behind.on('data', (data) => !state.silent && socket.write(data));
    behind.on('close', () => !state.silent && socket.destroy());
    socket
      .on('error', () => undefined)
      .on('close', () => {
        open.delete(socket);
        behind.destroy();
      });
  };
  let server: Server | undefined;
  const listen = (port: number): Promise<number> =>
    new Promise((resolve) => {
      const listening = createServer(serve).listen(port, '127.0.0.1', () => {
        server = listening;
        const address = listening.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
    for (const socket of open.keys()) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  const url = Object.assign(new URL(target), { hostname: '127.0.0.1', port: String(port) }).href;
  return {
    url,
    refuse: close,
    hang() {
      hangs = true;
      for (const state of open.values()) state.silent = true;
    },
    async comeBack() {
      hangs = false;
      if (!server) await listen(port);
    },
    [Symbol.asyncDispose]: close,
  };
}

/** A person, an app and what it holds before the database goes away. */
async function createWorld(server: RunningApp, hasRedis: boolean) {
  const { client, secret } = await createClient(server, {
    kind: 'web',
    firstParty: true,
    metadata: { redirect_uris: [redirectUri] },
  });
  const device = await createClient(server, {
    kind: 'native',
    metadata: { grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'] },
  });
  const auth = oidc.ClientSecretBasic(secret);
  const party = await RelyingParty.discover({ issuer: server.url, clientId: client.id, auth, redirectUri });
  const person = await createPerson(server);
  const browser = new WebClient(server.url);
  const arrive = async (): Promise<{ attempt: Attempt; back: URL }> => {
    const attempt = await party.request({ scope: 'openid email offline_access' });
    const page = await browser.open(attempt.url);
    return { attempt, back: (page.name === 'login' ? await signIn(browser, page, person) : page).url };
  };
  const post = (path: string, fields: Record<string, string>): Promise<Response> =>
    fetch(server.url + path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { authorization: `Basic ${btoa(`${client.id}:${secret}`)}` },
    });

  const first = await arrive();
  const tokens = await party.redeem(first.back, first.attempt);
  const unused = await arrive();
  const doomed = await arrive();
  const { access_token: toRevoke } = await party.redeem(doomed.back, doomed.attempt);
  const visitor = new WebClient(server.url);
  const login = await visitor.open((await party.request()).url);
  const form = readForm(login.text, 'password');
  const typed = { username: person.login, password: person.password, action: 'continue' };

  return {
    /** Each of these can be sent as often as one likes until it is answered with a success. */
    once: {
      code: () =>
        post('/oauth2/token', {
          grant_type: 'authorization_code',
          redirect_uri: redirectUri,
          code: unused.back.searchParams.get('code') ?? '',
          code_verifier: unused.attempt.checks.pkceCodeVerifier,
        }),
      refresh: () => post('/oauth2/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }),
      userinfo: () =>
        fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } }),
      revoke: () => post('/oauth2/revoke', { token: toRevoke }),
      device: () =>
        fetch(`${server.url}/oauth2/device`, {
          method: 'POST',
          body: new URLSearchParams({ client_id: device.client.id, scope: 'openid' }),
        }),
    },
    pages: {
      'authorize in a session': async () => browser.fetch((await party.request()).url),
      'authorize without one': async () => new WebClient(server.url).fetch((await party.request()).url),
      // With Redis the page that asks needs nothing of the database.
      ...(!hasRedis && { logout: () => browser.fetch('/oauth2/logout') }),
    },
    signIn: () =>
      visitor.fetch(new URL(form.action || login.url.href, login.url), {
        method: 'POST',
        body: new URLSearchParams({ ...form.fields, ...typed }),
      }),
  };
}

type Ask = () => Promise<Response>;

/** Answers that are neither 503 with Retry-After nor there in time. */
async function wrongWith(name: string, ask: Ask): Promise<string[]> {
  const since = performance.now();
  const { status, headers } = await ask();
  const took = performance.now() - since;
  const isRight = status === 503 && Number(headers.get('retry-after')) > 0 && took < bound;
  return isRight ? [] : [`${name}: ${status} retry-after=${headers.get('retry-after')} ${Math.round(took)} ms`];
}

async function untilAway(ask: Ask): Promise<void> {
  for (const end = Date.now() + 15_000; (await ask()).status === 200 && Date.now() < end; ) await delay(200);
}

/** Asks again as long as the answer is 503, but not for ever: the lease of a claimed code is longer. */
async function untilServed(ask: Ask): Promise<number> {
  for (const end = Date.now() + 6_000; ; await delay(100)) {
    const { status } = await ask();
    if (status !== 503 || Date.now() > end) return status;
  }
}

for (const lane of redis ? ['PostgreSQL', 'PostgreSQL and Redis'] : ['PostgreSQL']) {
  if (!sql) break;
  describe(`a database that is away, on ${lane}`, function () {
    this.timeout(90_000);
    const stack = new AsyncDisposableStack();
    let proxy: Proxy;
    let server: RunningApp;
    before(async () => {
      proxy = stack.use(await startProxy(stack.use(await createTestDatabase(sql)).url));
      const env = { DATABASE_URL: proxy.url, ...unlimited, ...(lane !== 'PostgreSQL' && { REDIS_URL: redis ?? '' }) };
      server = stack.use(await startApp(env));
    });
    // A server closes well only over a database that is there.
    afterEach(() => proxy.comeBack());
    after(() => stack.disposeAsync());

    for (const mode of ['refuse', 'hang'] as const) {
      it(`is a 503 with Retry-After within two seconds everywhere when connections ${mode}, and costs nobody anything`, async () => {
        const { once, pages, signIn: post } = await createWorld(server, lane !== 'PostgreSQL');
        await proxy[mode]();
        // What a node has just read it knows for some seconds.
        for (const ask of [once.userinfo, pages['authorize without one']]) await untilAway(ask);
        const wrong: string[] = [];
        for (const [name, ask] of Object.entries<Ask>({ ...once, ...pages }))
          wrong.push(...(await wrongWith(name, ask)));
        // Far more of them than the pool has connections.
        const many = await Promise.all(Array.from({ length: 40 }, () => wrongWith('sign-in', post)));
        expect([...wrong, ...many.flat()]).to.deep.equal([]);

        await proxy.comeBack();
        const served: Record<string, number> = {};
        for (const [name, ask] of Object.entries<Ask>(once)) served[name] = await untilServed(ask);
        expect(served).to.deep.equal({ code: 200, refresh: 200, userinfo: 200, revoke: 200, device: 200 });
      });
    }
  });
}
