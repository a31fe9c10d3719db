import { expect } from 'chai';
import fc from 'fast-check';
import type { Door } from '../fuzz/doors.ts';
import { canary } from '../fuzz/hostile-values.ts';
import { type Knock, knockAt, sweep, textOf } from '../fuzz/knock.ts';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';
import { exchange } from './raw-http.ts';

const leaks =
  /node_modules|\n\s+at |\.ts:\d|select "|insert into|syntax error at|TypeError|ReferenceError|Cannot read prop/;
const mustHave = ['content-security-policy', 'x-frame-options', 'x-content-type-options', 'cache-control'];
const jwt = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.e30';
const query = [
  ['state', `${'e30'.repeat(9)}.${'x'.repeat(43)}`],
  ['iss', 'https%3A%2F%2Fid.example'],
  ['code', 'ac_x'],
  ['error', 'access_denied'],
  ['return_to', '%2Fadmin'],
] as const;
const form = [
  ['csrf', 'x'],
  ['action', 'continue'],
] as const;

const doors: readonly Door[] = [
  { path: '/', query },
  { path: '/admin', query, form },
  { path: '/admin/users', query, form },
  { path: '/account', query, form },
  { path: '/console/callback', query, form },
  { path: '/console/choose-account', query, form },
  { path: '/console', query },
  { path: '/api/docs', query, form },
  { path: '/api/v1/openapi.json', query },
  { path: '/api/v1/me', query: [], form, authorization: `Bearer ${jwt}` },
  { path: '/api/v1/me', query, authorization: 'Bearer at_x' },
  { path: '/api/v1', query, form },
  { path: '/.well-known/oauth-protected-resource/api/v1', query },
];

describe('hostile requests to the consoles and the API', function () {
  this.timeout(120_000);
  let server: RunningApp;
  let admin: Person;
  let cookies: string;

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '1000000' });
    admin = await createPerson(server);
    await server.app.domains.accounts.update(
      admin.account.id,
      admin.account.version,
      { roles: ['admin'] },
      {
        kind: 'operator',
      },
    );
    const web = new WebClient(server.url);
    await signIn(web, await web.open('/admin'), admin);
    cookies = [...web.cookies()].map(([name, value]) => `${name}=${value}`).join('; ');
  });
  after(() => server[Symbol.asyncDispose]());

  async function send(knock: Knock, signedIn: boolean): Promise<void> {
    const { host, port } = new URL(server.url);
    const headers = signedIn ? [['Cookie', cookies] as const, ...knock.headers] : knock.headers;
    const request = textOf({ ...knock, headers }, host, undefined);
    const probe = `GET /oauth2/jwks HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const { answers, closed } = await exchange(Number(port), [Buffer.from(request, 'latin1'), probe], { expected: 2 });
    const [first, second] = answers;
    const about = `${first?.status} to ${request.slice(0, 1500)}\n${first?.body.slice(0, 600)}`;
    expect(first?.status, about).to.be.within(200, 499);
    for (const name of mustHave) expect(first?.headers.has(name), `${name} in ${about}`).to.equal(true);
    expect(first?.body, about).to.not.match(leaks);
    if (first?.headers.get('content-type')?.startsWith('text/html')) expect(first.body, about).to.not.include(canary);
    const location = first?.headers.get('location') ?? '/';
    expect(location, about).to.match(/^(?:\/(?![/\\])|http:\/\/127\.0\.0\.1:\d+\/)/);
    expect(closed || second?.status === 200, about).to.equal(true);
  }

  it('with one sharp value in any field are answered, whoever sends them', async () => {
    for (const knock of sweep(doors)) {
      await send(knock, false);
      await send(knock, true);
    }
  });

  it('spoilt at random are answered too', async () => {
    await fc.assert(fc.asyncProperty(knockAt(doors), fc.boolean(), send), {
      seed: 20_261_121,
      numRuns: 800,
      interruptAfterTimeLimit: 20_000,
      markInterruptAsFailure: false,
      endOnFailure: true,
    });
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
  });

  it('change nothing', async () => {
    const account = await server.app.domains.accounts.find(admin.account.id);
    expect(account?.roles).to.deep.equal(['admin']);
    expect(await server.app.domains.clients.list()).to.deep.equal([]);
  });
});
