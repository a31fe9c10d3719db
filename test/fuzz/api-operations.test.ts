import { request as httpRequest } from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { reasonOf } from '../../src/shared/errors.ts';
import type { OpenApiDocument, OperationObject } from '../../src/web/api/openapi-types.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { browserOf, registerApp, tokenOf } from '../web/api-caller.ts';
import { bodyOf, headerOf, parameterOf } from './api-values.ts';

interface Door {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

/** As whom the request comes. */
type As = 'app' | 'narrow' | 'browser' | 'nobody' | 'garbage' | 'client';

interface Shot {
  readonly as: As;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Somebody with every way to come in. */
interface Subject {
  readonly person: Person;
  readonly credentials: Readonly<Record<As, Readonly<Record<string, string>>>>;
}

/** For each operation, but not before so many requests, however slow the machine is. */
const milliseconds = 1_200;
const least = 8;
const prefix = '/api/v1';

const doorsOf = ({ paths }: OpenApiDocument): Door[] =>
  Object.entries(paths)
    .filter(([path]) => path.startsWith(`${prefix}/`))
    .flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ method, path, operation })));

/** What the document itself shows, by somebody who may. */
function honestShots({ path, method, operation: { requestBody } }: Door): [Shot][] {
  const example = requestBody?.content['application/json']?.example;
  const shot = {
    path: path.replaceAll(/\{\w+\}/g, 'nothing'),
    query: '',
    headers: [['If-Match', '*']] as const,
    body: method === 'get' || example === undefined ? undefined : JSON.stringify(example),
  };
  // The first is refused by all of them, whoever asks.
  return [[{ ...shot, as: 'nobody', query: 'x=1' }], [{ ...shot, as: 'app' }], [{ ...shot, as: 'narrow' }]];
}

function shotAt({ path, method, operation }: Door, { components: { schemas } }: OpenApiDocument): fc.Arbitrary<Shot> {
  const { parameters = [], requestBody } = operation;
  const media = requestBody?.content['application/json'];
  const of = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const inPath = fc.tuple(...of('path').map(({ schema }) => parameterOf(schema, schemas)));
  const inQuery = fc.tuple(
    ...of('query').map(({ name, schema }) =>
      fc.option(
        parameterOf(schema, schemas).map((value) => `${name}=${value}`),
        { nil: undefined },
      ),
    ),
    fc.constantFrom(undefined, undefined, undefined, 'x=1', 'limit=1&limit=2', '__proto__=1', '=', '%zz'),
  );
  return fc.record({
    as: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<As>('app', 'browser', 'client') },
      { weight: 1, arbitrary: fc.constantFrom<As>('narrow', 'nobody', 'garbage') },
    ),
    path: inPath.map((values) => values.reduce((text, value) => text.replace(/\{\w+\}/, () => value), path)),
    query: inQuery.map((parts) => parts.filter((part) => part !== undefined).join('&')),
    headers: fc
      .tuple(
        fc.constantFrom(...[[], [['If-Match', '*'] as const]]),
        fc.oneof(
          { weight: 2, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(headerOf, { maxLength: 2 }) },
        ),
      )
      .map((lists) => lists.flat()),
    body:
      media && method !== 'get'
        ? bodyOf(media.schema, schemas, media.example)
        : fc.constantFrom<string | undefined>(undefined),
  });
}

describe('every operation of the OpenAPI document', function () {
  this.timeout(240_000);
  const stray: unknown[] = [];
  const note = (error: unknown): number => stray.push(error);
  let server: RunningApp;
  let document: OpenApiDocument;
  let subject: Subject | undefined;
  let known = '';
  let made = 0;
  const seen = new Map<string, Set<number>>();

  before(async () => {
    process.on('unhandledRejection', note);
    server = await startApp({
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '1000000',
      SALLYPORT_LIMIT_TOKEN: '1000000',
      SALLYPORT_LIMIT_ACCOUNT_CHANGES: '1000000',
    });
    document = (await (await fetch(`${server.url}${prefix}/openapi.json`)).json()) as OpenApiDocument;
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    process.off('unhandledRejection', note);
  });

  async function newSubject(): Promise<Subject> {
    made += 1;
    const person = await createPerson(server);
    const { app } = await registerApp(server);
    const bearer = async (scope?: string) => ({
      authorization: `Bearer ${await tokenOf(server, person, { app, ...(scope !== undefined && { scope }) })}`,
    });
    const { web, ask } = await browserOf(server, person);
    const cookie = [...web.cookies()].map(([name, value]) => `${name}=${value}`).join('; ');
    const csrf = (await ask('GET', '/me')).headers.get('x-csrf-token') ?? '';
    const service = await createClient(server, {
      kind: 'web',
      metadata: { redirect_uris: ['https://app.example/cb'] },
    });
    const basic = Buffer.from(`${service.client.id}:${service.secret}`).toString('base64');
    return {
      person,
      credentials: {
        app: await bearer(),
        narrow: await bearer('account:read'),
        browser: { cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-origin' },
        nobody: {},
        garbage: { authorization: 'Bearer e30.e30.e30' },
        client: { authorization: `Basic ${basic}` },
      },
    };
  }

  /** All that a request may not change when it is refused. */
  async function stateOf({ account: { id } }: Person): Promise<string> {
    const { accounts, accountSettings, sessions, connectedApps } = server.app.domains;
    const account = await accounts.find(id);
    if (!account) return 'none';
    const { factors, times, passkeys } = await accountSettings.securityState(account);
    const open = (await sessions.list(id)).map((session) => session.id);
    return JSON.stringify([account, factors, times, passkeys, open, await connectedApps.list(id)]);
  }

  function send({ method }: Door, shot: Shot, credentials: Readonly<Record<string, string>>): Promise<Answer> {
    const { hostname, port } = new URL(server.url);
    const headers = new Map<string, string>();
    if (shot.body !== undefined) headers.set('content-type', 'application/json');
    for (const [name, value] of Object.entries(credentials)) headers.set(name, value);
    for (const [name, value] of shot.headers) headers.set(name.toLowerCase(), value);
    if (shot.body !== undefined) headers.set('content-length', String(Buffer.byteLength(shot.body)));
    const path = `${shot.path}${shot.query && `?${shot.query}`}`;
    return new Promise((resolve, reject) => {
      const options = { hostname, port, path, method: method.toUpperCase(), headers: Object.fromEntries(headers) };
      const sent = httpRequest(options, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            type: String(res.headers['content-type'] ?? ''),
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on('error', reject).end(shot.body);
    });
  }

  function judge({ operation }: Door, { status, type, text }: Answer): void {
    const documented = operation.responses[status];
    expect(documented, `status ${status}: ${text.slice(0, 500)}`).to.not.equal(undefined);
    const expected = Object.keys(documented?.content ?? {});
    if (expected.length === 0) return void expect(text).to.equal('');
    expect(expected).to.include(type.split(';')[0]);
    const json = JSON.parse(text) as Record<string, unknown>;
    if (status < 400) return;
    if (expected.includes('application/json')) return void expect(json.error).to.be.a('string');
    expect(Object.keys(json)).to.include.members(['type', 'title', 'status', 'detail', 'reference']);
    expect(json).to.include({ type: 'about:blank', status });
    expect(json.detail)
      .to.be.a('string')
      .and.not.match(/\n|\bat \/|sql|undefined/i);
    for (const name of Object.keys(json)) {
      expect(['type', 'title', 'status', 'detail', 'reference', 'fields']).to.include(name);
    }
    for (const words of Object.values(json.fields ?? {})) expect(words).to.be.a('string');
  }

  async function fire(door: Door, shot: Shot): Promise<void> {
    subject ??= await newSubject();
    known ||= await stateOf(subject.person);
    const answer = await send(door, shot, subject.credentials[shot.as]);
    const statuses = seen.get(door.operation.operationId) ?? new Set();
    seen.set(door.operation.operationId, statuses.add(answer.status));
    judge(door, answer);
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
    const now = await stateOf(subject.person);
    if (answer.status >= 400) expect(now, 'a refusal changed something').to.equal(known);
    known = now;
    // Whoever changed a password or ended sessions is somebody else from now on.
    if (answer.status < 300 && door.method !== 'get') subject = await survivorOf(subject);
  }

  async function survivorOf(who: Subject): Promise<Subject | undefined> {
    for (const as of ['app', 'narrow', 'browser'] as const) {
      const headers = who.credentials[as] as Record<string, string>;
      const answer = await fetch(`${server.url}${prefix}/me`, { headers });
      await answer.arrayBuffer();
      if (answer.status !== 200) {
        known = '';
        return undefined;
      }
    }
    return who;
  }

  it('answers anything with what it documents, a problem in the one shape, and no change on a refusal', async () => {
    const failures: string[] = [];
    for (const door of doorsOf(document)) {
      const name = `${door.method.toUpperCase()} ${door.path}`;
      subject ??= await newSubject();
      const end = Date.now() + milliseconds;
      let fired = 0;
      await fc
        .assert(
          fc.asyncProperty(shotAt(door, document), async (shot) => {
            // An interrupted run of fast-check goes on beside the next one; this ends between two requests.
            if (fired >= least && Date.now() >= end) return;
            fired += 1;
            await fire(door, shot);
          }),
          {
            seed: 20_261_121,
            numRuns: door.operation.requestBody || door.path.includes('{') ? 30 : 8,
            endOnFailure: true,
            examples: honestShots(door),
          },
        )
        .catch((error: Error) => {
          // The state of before is not known any more.
          known = '';
          failures.push(`${name}: ${error.message} ${reasonOf(error.cause)}`);
        });
      if (fired < least) failures.push(`${name}: only ${fired} requests`);
    }
    expect(failures.join('\n\n')).to.equal('');
    expect(stray).to.deep.equal([]);
    if (process.env.TEST_LOG) console.log(seen);
    for (const [name, statuses] of seen) {
      const refused = [...statuses].filter((status) => status >= 400);
      expect(refused, `${name} refused nothing, so nothing was tried`).to.not.be.empty;
    }
    const done = [...seen].filter(([, statuses]) => [...statuses].some((status) => status < 300)).map(([name]) => name);
    expect(done).to.include.members(['getMe', 'updateMe', 'setUpTwoFactor', 'endMyOtherSessions', 'deleteMe']);
    expect(made, 'one person for all of it').to.be.above(1);
  });
});
