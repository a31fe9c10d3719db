import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { freePort } from '../support/start-app.ts';
import { memoryLog } from '../web/memory-log.ts';
import { chunk, exchange } from '../web/raw-http.ts';

const by = { kind: 'operator' } as const;
const formType = 'application/x-www-form-urlencoded';

interface Side extends AsyncDisposable {
  readonly app: App;
  readonly port: number;
  readonly lines: Record<string, unknown>[];
  readonly names: Readonly<Record<string, string>>;
}

/** A server with the same APIs and clients on each side; only ids, secrets and tokens differ. */
async function startSide(plainLane: boolean): Promise<Side> {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const { logger, lines } = memoryLog();
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: String(port),
    HOST: '127.0.0.1',
    SALLYPORT_ISSUER: `http://127.0.0.1:${port}`,
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
    SALLYPORT_DEMO: 'false',
    SALLYPORT_MANAGEMENT_PORT: '0',
    SALLYPORT_DRAIN_SECONDS: '0',
    SALLYPORT_LIMIT_TOKEN: '200',
    SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
  });
  const app = await createApp(config, { logger: silentLogger(), access: logger, plainLane });
  await app.listen();
  const { apis, clients } = app.domains;
  const scopes = [{ name: 'read', description: 'Read' }];
  await apis.create({ identifier: 'https://jwt.example', name: 'JWT', scopes }, by);
  await apis.create({ identifier: 'https://opaque.example', name: 'Opaque', scopes, tokenFormat: 'opaque' }, by);
  const machine = await clients.create(
    { name: 'M', kind: 'machine', apis: { 'https://jwt.example': ['read'], 'https://opaque.example': ['read'] } },
    by,
  );
  const service = await clients.create({ name: 'S', kind: 'service', mayIntrospect: true }, by);
  const basic = (id: string, secret = ''): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  return {
    app,
    port,
    lines,
    names: {
      HOST: `127.0.0.1:${port}`,
      ID: machine.client.id,
      ASKER: service.client.id,
      SECRET: machine.secret ?? '',
      MACHINE: basic(machine.client.id, machine.secret),
      SERVICE: basic(service.client.id, service.secret),
      WRONG: basic(machine.client.id, 'wrong'),
      NUL: basic(`${machine.client.id}%00`, machine.secret),
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

interface Ask {
  readonly method?: string;
  readonly path?: string;
  /** `undefined` leaves a header out; `$NAME` stands for what differs between the sides. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly framing?: 'length' | 'chunked' | 'none';
  /** Sent in pieces, each in a packet of its own. */
  readonly pieces?: number;
}

const fill = (text: string, names: Side['names']): string =>
  text.replace(/\$([A-Z]+)/g, (all, name: string) => names[name] ?? all);

async function ask(side: Side, { method = 'POST', path = '/oauth2/token', body = '', ...rest }: Ask) {
  const { framing = 'length', pieces = 1 } = rest;
  const text = fill(body, side.names);
  const headers = { Host: '$HOST', 'Content-Type': formType, Authorization: '$MACHINE', ...rest.headers };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${fill(value, side.names)}\r\n`],
  );
  if (framing === 'length') lines.push(`Content-Length: ${Buffer.byteLength(text)}\r\n`);
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked\r\n');
  const head = `${method} ${fill(path, side.names)} HTTP/1.1\r\n${lines.join('')}\r\n`;
  const size = Math.ceil(text.length / pieces) || 1;
  const parts = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  const sent = framing === 'chunked' ? [...parts.map(chunk), '0\r\n\r\n'] : framing === 'length' ? parts : [];
  const before = side.lines.length;
  const { answers, closed } = await exchange(side.port, pieces > 1 ? [head, ...sent] : [head + sent.join('')]);
  while (side.lines.length === before) await new Promise((resolve) => setImmediate(resolve));
  return { answer: answers[0], closed, line: side.lines.at(-1) };
}

/** An answer without what must differ: ids, tokens, times, ports. */
function comparable(side: Side, { answer, closed, line }: Awaited<ReturnType<typeof ask>>) {
  const plain = (text: string): string =>
    text
      .replaceAll(String(side.port), 'PORT')
      .replaceAll(side.names.ID ?? '', 'ID')
      .replaceAll(side.names.ASKER ?? '', 'ASKER')
      .replace(/\b(req|err)_[0-9a-z]{16}/g, 'REF')
      .replace(/"(access_token|jti)":"(ey|cc_)?[^"]+"/g, '"$1":"$2TOKEN"')
      .replace(/"(exp|iat)":\d+/g, '"$1":TIME');
  const headers = [...(answer?.headers ?? [])].filter(([name]) => name !== 'date' && name !== 'content-length');
  const { time: _time, ms: _ms, ...said } = line ?? {};
  return {
    status: answer?.status,
    headers: headers.map(([name, value]) => `${name}: ${plain(value)}`).sort(),
    hasLength: answer?.headers.get('content-length') === String(Buffer.byteLength(answer?.body ?? '', 'latin1')),
    body: plain(answer?.body ?? ''),
    closed,
    line: plain(JSON.stringify(said)),
  };
}

const issue = 'grant_type=client_credentials';
const withSecret = { Authorization: undefined };
const cases: Readonly<Record<string, Ask>> = {
  'a token': { body: issue },
  'a token for an API': { body: `${issue}&resource=https%3A%2F%2Fjwt.example&scope=read` },
  'a token of another form': { body: `${issue}&resource=https%3A%2F%2Fopaque.example&scope=read+write` },
  'a secret in the form': { body: `${issue}&client_id=$ID&client_secret=$SECRET`, headers: withSecret },
  'a charset': { body: issue, headers: { 'Content-Type': `${formType}; charset=UTF-8` } },
  'a body in pieces': { body: issue, pieces: 5 },
  'a chunked body': { body: issue, framing: 'chunked', pieces: 3 },
  'an empty chunked body': { framing: 'chunked' },
  'no body': { framing: 'none' },
  'a length of zero': {},
  'another Host': { body: issue, headers: { Host: 'evil.example' } },
  'no Host': { body: issue, headers: { Host: undefined } },
  'two Hosts': { body: issue, headers: { host: 'evil.example' } },
  'an absolute target': { body: issue, path: 'http://$HOST/oauth2/token' },
  'a slash at the end': { body: issue, path: '/oauth2/token/' },
  'capitals in the path': { body: issue, path: '/OAuth2/Token' },
  'a query': { body: issue, path: '/oauth2/token?a=b' },
  GET: { method: 'GET', framing: 'none' },
  HEAD: { method: 'HEAD', framing: 'none' },
  OPTIONS: { method: 'OPTIONS', framing: 'none', headers: { Origin: 'https://app.example' } },
  'an Origin': { body: issue, headers: { Origin: 'https://app.example' } },
  DPoP: { body: issue, headers: { DPoP: 'not a proof' } },
  JSON: { body: '{"grant_type":"client_credentials"}', headers: { 'Content-Type': 'application/json' } },
  'no type': { body: issue, headers: { 'Content-Type': undefined } },
  'another charset': { body: issue, headers: { 'Content-Type': `${formType}; charset=latin1` } },
  'a compressed body': { body: issue, headers: { 'Content-Encoding': 'gzip' } },
  'an oversized body': { body: `${issue}&x=${'y'.repeat(65_536)}` },
  'a parameter twice': { body: `${issue}&${issue}` },
  'a parameter twice with brackets': { body: `${issue}&scope[]=a&scope[]=b` },
  'a prototype': { body: `${issue}&__proto__=x` },
  'bad percent-encoding': { body: `${issue}&scope=%E0%A4%A` },
  'NUL in the body': { body: `${issue}&scope=a%00b` },
  'NUL in the credentials': { body: issue, headers: { Authorization: '$NUL' } },
  'a wrong secret': { body: issue, headers: { Authorization: '$WRONG' } },
  'a broken Basic': { body: issue, headers: { Authorization: 'Basic ???' } },
  'two ways at once': { body: `${issue}&client_id=$ID&client_secret=$SECRET` },
  'an assertion': {
    body: `${issue}&client_id=$ID&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=e.e.e`,
    headers: withSecret,
  },
  'an unknown API': { body: `${issue}&resource=https%3A%2F%2Fnone.example` },
  'another grant': { body: 'grant_type=refresh_token&refresh_token=rt_none' },
  'no grant': { body: 'a=b' },
  'a client that may not': { body: issue, headers: { Authorization: '$SERVICE' } },
  'a forwarded caller with an id': {
    body: issue,
    headers: { 'X-Forwarded-For': '192.0.2.7', 'X-Request-Id': 'trace-1234', 'X-Forwarded-Host': 'evil.example' },
  },
  'an introspection of nothing': {
    path: '/oauth2/introspect',
    body: 'token=cc_none',
    headers: { Authorization: '$SERVICE' },
  },
  'an introspection without a token': {
    path: '/oauth2/introspect',
    body: 'a=b',
    headers: { Authorization: '$SERVICE' },
  },
  'an introspection by a stranger': {
    path: '/oauth2/introspect',
    body: 'token=cc_none',
    headers: { Authorization: '$WRONG' },
  },
  'an introspection that could be a JWT': {
    path: '/oauth2/introspect',
    body: 'token=cc_none',
    headers: { Authorization: '$SERVICE', Accept: 'application/json, application/token-introspection+jwt' },
  },
};

describe('the short way for plain requests', () => {
  let short: Side;
  let ordinary: Side;

  before(async () => {
    [short, ordinary] = [await startSide(true), await startSide(false)];
  });
  after(async () => {
    await short?.[Symbol.asyncDispose]();
    await ordinary?.[Symbol.asyncDispose]();
  });

  for (const [name, request] of Object.entries(cases)) {
    it(`answers ${name} as the ordinary way does, in every header and in the log`, async () => {
      const theirs = comparable(ordinary, await ask(ordinary, request));
      expect(theirs.status).to.be.within(200, 499);
      expect(comparable(short, await ask(short, request))).to.deep.equal(theirs);
    });
  }

  it('tells the same of live tokens, opaque and signed', async () => {
    for (const resource of [
      '',
      '&resource=https%3A%2F%2Fopaque.example&scope=read',
      '&resource=https%3A%2F%2Fjwt.example',
    ]) {
      const told = await Promise.all(
        [short, ordinary].map(async (side) => {
          const { answer } = await ask(side, { body: issue + resource });
          const { access_token: token } = JSON.parse(answer?.body ?? '') as { access_token: string };
          const headers = { Authorization: '$SERVICE' };
          return comparable(side, await ask(side, { path: '/oauth2/introspect', body: `token=${token}`, headers }));
        }),
      );
      expect(told[0]?.body).to.include('"active":true');
      expect(told[0]).to.deep.equal(told[1]);
    }
  });

  it('counts refusals against both ways, and refuses plain requests of who has too many', async () => {
    const headers = { 'X-Forwarded-For': '198.51.100.9' };
    for (const side of [short, ordinary]) {
      let refused = 0;
      const guess: Ask = { body: issue, headers: { ...headers, Authorization: '$WRONG' } };
      while ((await ask(side, guess)).answer?.status === 401) refused += 1;
      expect(refused).to.equal(200);
      expect((await ask(side, { body: issue, headers })).answer?.status).to.equal(429);
      expect((await ask(side, { body: issue })).answer?.status).to.equal(200);
    }
  });
});
