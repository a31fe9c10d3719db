import { expect } from 'chai';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { type EdgeApp, startEdge } from './edge-app.ts';
import { chunk, exchange } from './raw-http.ts';

const limit = 65_536;
const head = (edge: EdgeApp, path: string, headers: string, type = 'application/x-www-form-urlencoded'): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n${type && `Content-Type: ${type}\r\n`}${headers}\r\n`;
const next = (edge: EdgeApp): string => `GET /facts HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const field = (length: number): string => `a=${'x'.repeat(length - 2)}`;

describe('body guard', () => {
  it('hands on a body of any framing, complete and unread', async () => {
    await using edge = await startEdge();
    const sizes = [1, 2, 1000, 16_384, 16_385, 57_344, limit - 1, limit];
    for (const size of sizes) {
      const body = field(Math.max(size, 2));
      const wanted = { bytes: body.length };
      const whole = await exchange(edge.port, [head(edge, '/stream', `Content-Length: ${body.length}\r\n`), body]);
      expect(JSON.parse(whole.answers[0]?.body ?? ''), `length ${size}`).to.deep.equal(wanted);
      const parts = body.match(/.{1,7000}/gs)?.map(chunk) ?? [];
      const pieces = await exchange(edge.port, [head(edge, '/stream', chunked), ...parts, '0\r\n\r\n']);
      expect(JSON.parse(pieces.answers[0]?.body ?? ''), `chunked ${size}`).to.deep.equal(wanted);
      const atOnce = await exchange(edge.port, [`${head(edge, '/stream', chunked) + parts.join('')}0\r\n\r\n`]);
      expect(JSON.parse(atOnce.answers[0]?.body ?? ''), `one packet ${size}`).to.deep.equal(wanted);
    }
    expect(edge.seen.at(-1)?.state.body).to.have.length(limit);
  });

  it('takes an empty chunked body for none', async () => {
    await using edge = await startEdge();
    for (const path of ['/stream', '/form', '/oauth2/token']) {
      const { answers } = await exchange(edge.port, [head(edge, path, chunked), '0\r\n\r\n', next(edge)], {
        expected: 2,
      });
      expect(
        answers.map(({ status }) => status),
        path,
      ).to.deep.equal([200, 200]);
    }
  });

  it('waits for a body that comes in drops', async () => {
    await using edge = await startEdge();
    const body = field(40);
    const { answers } = await new Promise<Awaited<ReturnType<typeof exchange>>>((resolve, reject) => {
      const pieces = [head(edge, '/form', `Content-Length: ${body.length}\r\n`), ...body];
      exchange(edge.port, pieces).then(resolve, reject);
    });
    expect(JSON.parse(answers[0]?.body ?? '')).to.deep.equal({ a: 'x'.repeat(38) });
  });

  it('refuses a longer body with 413 and closes the connection, so that no request is left hanging', async () => {
    await using edge = await startEdge();
    const oversized = field(200_000);
    const framings: Record<string, (string | Buffer)[]> = {
      'declared length': [head(edge, '/form', `Content-Length: ${oversized.length}\r\n`), oversized],
      'one chunk': [head(edge, '/form', chunked), chunk(oversized), '0\r\n\r\n'],
      'many chunks': [
        head(edge, '/oauth2/token', chunked),
        ...(oversized.match(/.{1,1000}/gs)?.map(chunk) ?? []),
        '0\r\n\r\n',
      ],
      'one byte too many': [head(edge, '/form', chunked), chunk(field(limit + 1)), '0\r\n\r\n'],
      'no end': [head(edge, '/form', chunked), chunk(oversized)],
      'two megabytes': [head(edge, '/form', chunked), chunk('x'.repeat(2_000_000)), '0\r\n\r\n'],
    };
    for (const [name, pieces] of Object.entries(framings)) {
      const after = name === 'no end' ? [] : [next(edge)];
      const { answers, closed } = await exchange(edge.port, [...pieces, ...after], { expected: 2 });
      expect(closed, name).to.equal(true);
      expect(
        answers.map(({ status }) => status),
        name,
      ).to.deep.equal([413]);
      expect(answers[0]?.headers.get('connection'), name).to.equal('close');
      expect(answers[0]?.headers.get('content-security-policy'), name).to.be.a('string');
    }
    expect(edge.seen.map(({ path }) => path)).to.not.include.members(['/form', '/oauth2/token']);
    expect((await fetch(`${edge.url}/facts`)).status).to.equal(200);
  });

  it('answers a short body that nobody reads and goes on with the next request', async () => {
    await using edge = await startEdge();
    const bodies = [
      [head(edge, '/nowhere', 'Content-Length: 30000\r\n'), field(30_000)],
      [head(edge, '/nowhere', chunked), chunk(field(60_000)), '0\r\n\r\n'],
      [head(edge, '/facts', 'Content-Length: 5\r\n', 'text/plain'), 'hello'],
    ];
    for (const [index, pieces] of bodies.entries()) {
      const { answers } = await exchange(edge.port, [...pieces, next(edge)], { expected: 2 });
      expect(answers[0]?.status, String(index)).to.be.within(404, 415);
      expect(answers[1]?.status, String(index)).to.equal(200);
    }
  });

  it('takes forms at pages and OAuth endpoints and JSON at the API, in UTF-8 and not compressed', async () => {
    const api = (ctx: EdgeContext): void => {
      ctx.body = {};
    };
    await using edge = await startEdge({ routes: { '/api/v1/x': api } });
    const send = async (path: string, type: string, extra = ''): Promise<number | undefined> => {
      const request = head(edge, path, `Content-Length: 2\r\n${extra}`, type);
      return (await exchange(edge.port, [request, 'a='])).answers[0]?.status;
    };
    expect(await send('/form', 'application/x-www-form-urlencoded')).to.equal(200);
    expect(await send('/form', 'application/x-www-form-urlencoded; charset=UTF-8')).to.equal(200);
    expect(await send('/api/v1/x', 'application/json')).to.equal(200);
    for (const type of [
      '',
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded; charset=utf-7',
      'x',
      '/',
      ';',
    ]) {
      expect(await send('/form', type), type).to.equal(415);
      expect(await send('/oauth2/token', type), type).to.equal(415);
    }
    expect(await send('/api/v1/x', 'application/x-www-form-urlencoded')).to.equal(415);
    expect(await send('/form', 'application/x-www-form-urlencoded', 'Content-Encoding: gzip\r\n')).to.equal(415);
  });

  it('leaves framing that can be read two ways to nobody', async () => {
    await using edge = await startEdge();
    const requests = [
      `${head(edge, '/form', `Content-Length: 3\r\n${chunked}`)}0\r\n\r\n`,
      `${head(edge, '/form', 'Content-Length: 3\r\nContent-Length: 4\r\n')}a=b`,
      head(edge, '/form', 'Content-Length: -1\r\n'),
      `${head(edge, '/form', 'Content-Length: 3x\r\n')}a=b`,
      head(edge, '/form', 'Transfer-Encoding: gzip\r\n'),
      `${head(edge, '/form', 'Transfer-Encoding: chunked, identity\r\n')}0\r\n\r\n`,
      `${head(edge, '/form', chunked)}zz\r\n`,
    ];
    for (const request of requests) {
      const { answers, closed } = await exchange(edge.port, [request, next(edge)], { expected: 2 });
      expect(closed, request).to.equal(true);
      expect(
        answers.map(({ status }) => status),
        request,
      ).to.deep.equal([400]);
      expect(answers[0]?.headers.get('x-content-type-options'), request).to.equal('nosniff');
    }
    expect(edge.seen).to.have.length(0);
  });

  it('survives a client that leaves in the middle of its body', async () => {
    await using edge = await startEdge();
    const { connect } = await import('node:net');
    await new Promise<void>((resolve) => {
      const socket = connect(edge.port, '127.0.0.1');
      socket.write(`${head(edge, '/form', 'Content-Length: 100\r\n')}a=`, () => socket.destroy());
      socket.on('close', () => resolve());
    });
    expect((await fetch(`${edge.url}/facts`)).status).to.equal(200);
    expect(edge.seen).to.have.length(1);
  });
});
