import { expect } from 'chai';
import { AppError, type ErrorCode } from '../../src/shared/errors.ts';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { startEdge } from './edge-app.ts';
import { memoryLog } from './memory-log.ts';
import { exchange } from './raw-http.ts';

const statuses: Record<ErrorCode, number> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  expired: 410,
  rate_limited: 429,
  unavailable: 503,
};
const fail = (code: ErrorCode) => () => {
  throw new AppError(code, `It is ${code}.`, { fields: { name: 'Give a name.' }, reason: 'for the log' });
};
const browser = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('error handler', () => {
  it('gives every code of the closed set its status and words', async () => {
    const codes = Object.keys(statuses) as ErrorCode[];
    await using edge = await startEdge({ routes: Object.fromEntries(codes.map((code) => [`/${code}`, fail(code)])) });
    for (const code of codes) {
      const answer = await fetch(`${edge.url}/${code}`);
      expect(answer.status, code).to.equal(statuses[code]);
      expect(answer.headers.get('content-type'), code).to.equal('application/problem+json');
      const problem = (await answer.json()) as Record<string, unknown>;
      expect(problem, code).to.include({ status: statuses[code], detail: `It is ${code}.`, type: 'about:blank' });
      expect(problem.fields, code).to.deep.equal({ name: 'Give a name.' });
      expect(problem.reference, code).to.equal(answer.headers.get('x-request-id'));
      expect(JSON.stringify(problem), code).to.not.include('for the log');
    }
  });

  it('says when to come back', async () => {
    await using edge = await startEdge({ routes: { '/away': fail('unavailable') } });
    expect((await fetch(`${edge.url}/limited`)).headers.get('retry-after')).to.equal('13');
    expect((await fetch(`${edge.url}/away`)).headers.get('retry-after')).to.equal('2');
  });

  it('shows browsers a page, OAuth clients RFC 6749 and programs a problem document', async () => {
    await using edge = await startEdge({ routes: { '/oauth2/userinfo': fail('unauthenticated') } });
    const page = await fetch(`${edge.url}/nowhere`, { headers: browser });
    expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(await page.text())
      .to.include('There is nothing here')
      .and.include(page.headers.get('x-request-id') ?? '-');
    const body = new URLSearchParams({ grant_type: 'fail' });
    const oauth = await fetch(`${edge.url}/oauth2/token`, { method: 'POST', body, headers: browser });
    expect(oauth.headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(await oauth.json()).to.include({ error: 'invalid_request', error_description: 'No such grant.' });
    expect(await (await fetch(`${edge.url}/oauth2/userinfo`)).json()).to.include({ error: 'invalid_client' });
    const program = await fetch(`${edge.url}/nowhere`);
    expect(program.headers.get('content-type')).to.equal('application/problem+json');
  });

  it('keeps a defect to the log, under the id that the asker sees', async () => {
    const { logger, lines, text } = memoryLog();
    await using edge = await startEdge({ logger });
    for (const headers of [browser, { Accept: 'application/json' }]) {
      const answer = await fetch(`${edge.url}/defect`, { headers });
      const shown = await answer.text();
      expect(answer.status).to.equal(500);
      expect(shown).to.not.match(/select|password|\/srv|app\.ts|at /);
      const reference = /req_[0-9a-z]{16}/.exec(shown)?.[0];
      const line = lines.find((candidate) => candidate.err !== undefined && candidate.requestId === reference);
      expect(line?.err).to.have.property('stack').that.includes('select secret');
    }
    expect(text()).to.include('request failed');
  });

  it('takes back what a failed answer had begun', async () => {
    const begin = (status: 400 | 500) => (ctx: EdgeContext) => {
      ctx.set('Location', 'https://app.example/cb?code=secret');
      ctx.set('Content-Encoding', 'br');
      ctx.set('ETag', '"x"');
      ctx.cookies.set('session', 'half-made', { signed: false });
      ctx.status = 303;
      ctx.body = 'half';
      throw status === 500 ? new Error('late') : new AppError('invalid_input', 'No.');
    };
    await using edge = await startEdge({ routes: { '/late': begin(500), '/no': begin(400) } });
    for (const [path, status, cookies] of [
      ['/late', 500, 0],
      ['/no', 400, 1],
    ] as const) {
      const answer = await fetch(edge.url + path, { headers: browser });
      expect(answer.status).to.equal(status);
      for (const name of ['location', 'content-encoding', 'etag'])
        expect(answer.headers.has(name), name).to.equal(false);
      expect(answer.headers.getSetCookie()).to.have.length(cookies);
      expect(answer.headers.get('x-frame-options')).to.equal('DENY');
    }
  });

  it('still answers when the error page cannot be drawn', async () => {
    const renderErrorPage = (): string => {
      throw new Error('template');
    };
    const message = 'No <script> here.';
    const refuse = (): never => {
      throw new AppError('forbidden', message);
    };
    await using edge = await startEdge({ renderErrorPage, routes: { '/no': refuse } });
    const answer = await fetch(`${edge.url}/no`, { headers: browser });
    expect(answer.status).to.equal(403);
    expect(await answer.text())
      .to.include('&#60;script&#62;')
      .and.not.include('<script>');
  });

  it('answers HEAD without a body and 405 with the methods that work', async () => {
    await using edge = await startEdge();
    const head = await fetch(`${edge.url}/nowhere`, { method: 'HEAD', headers: browser });
    expect(head.status).to.equal(404);
    expect(await head.text()).to.equal('');
    const wrong = await fetch(`${edge.url}/OAUTH2/TOKEN/`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).to.deep.equal([405, 'POST, OPTIONS']);
    expect(await wrong.json()).to.include({ error: 'invalid_request' });
  });

  it('passes on what a router found and keeps the words of Koa’s own refusals', async () => {
    await using edge = await startEdge({
      routes: {
        '/router': (ctx) => {
          ctx.status = 405;
          ctx.set('Allow', 'POST');
        },
        '/thrown': (ctx) => ctx.throw(409, 'Somebody was faster.'),
        '/hidden': (ctx) => ctx.throw(502, 'upstream secret'),
        '/text': () => {
          throw 'a string';
        },
      },
    });
    const router = await fetch(`${edge.url}/router`);
    expect([router.status, router.headers.get('allow')]).to.deep.equal([405, 'POST']);
    expect(await (await fetch(`${edge.url}/thrown`)).json()).to.include({
      status: 409,
      detail: 'Somebody was faster.',
    });
    const hidden = await fetch(`${edge.url}/hidden`);
    expect([hidden.status, (await hidden.text()).includes('secret')]).to.deep.equal([500, false]);
    expect((await fetch(`${edge.url}/text`)).status).to.equal(500);
  });

  it('says 503 when the database is away, also where nobody expected it', async () => {
    const away = (): never => {
      throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED' });
    };
    await using edge = await startEdge({ routes: { '/oauth2/userinfo': away } });
    const answer = await fetch(`${edge.url}/oauth2/userinfo`);
    const text = await answer.text();
    expect([answer.status, answer.headers.get('retry-after')]).to.deep.equal([503, '2']);
    expect(JSON.parse(text)).to.include({ error: 'temporarily_unavailable' });
    expect(text).to.not.include('10.0.0.5');
  });

  it('does not mind a client that leaves before its answer', async () => {
    const { logger, lines } = memoryLog();
    let release = (): void => undefined;
    const slow = (ctx: EdgeContext): Promise<void> =>
      new Promise((resolve) => {
        release = () => {
          ctx.body = 'late';
          resolve();
        };
      });
    await using edge = await startEdge({ logger, routes: { '/slow': slow } });
    const abort = new AbortController();
    const asked = fetch(`${edge.url}/slow`, { signal: abort.signal }).catch(() => 'gone');
    while (edge.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await asked).to.equal('gone');
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    release();
    expect(lines[0]).to.include({ status: 499, method: 'GET' });
    const { answers } = await exchange(edge.port, [`GET /facts HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`]);
    expect(answers[0]?.status).to.equal(200);
    expect(lines.some(({ level }) => Number(level) >= 50)).to.equal(false);
  });
});
