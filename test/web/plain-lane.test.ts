import { connect } from 'node:net';
import { expect } from 'chai';
import { systemClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createPlainLane, type PlainForm } from '../../src/web/http/plain-lane.ts';
import { type HttpServer, listen } from '../../src/web/http/server.ts';
import { startEdge } from './edge-app.ts';
import { memoryLog } from './memory-log.ts';
import { exchange } from './raw-http.ts';

interface Lane extends AsyncDisposable {
  readonly port: number;
  readonly forms: PlainForm[];
  readonly lines: Record<string, unknown>[];
  /** Requests that came to the routes behind Koa. */
  readonly ordinary: () => number;
}

/** The lane before the whole edge; `answer` is all there is behind the lane. */
async function startLane(answer: (form: PlainForm) => unknown, mayPass = (): boolean => true): Promise<Lane> {
  const forms: PlainForm[] = [];
  const { logger, lines } = memoryLog();
  let handler: ReturnType<typeof createPlainLane> | undefined;
  const http: HttpServer = await listen((req, res) => handler?.(req, res), { port: 0, host: '127.0.0.1' });
  const options = {
    issuer: `http://localhost:${http.port}`,
    trustedProxies: [],
    metadataMaxAge: 300,
    popups: false,
    bodyLimit: 1000,
    clock: systemClock,
    logger: silentLogger(),
    access: logger,
    renderErrorPage: () => '',
  };
  const edge = await startEdge(options);
  handler = createPlainLane({
    ...options,
    paths: ['/oauth2/token'],
    mayPass,
    prepare: async () => undefined,
    answer: async (form) => {
      forms.push(form);
      return answer(form);
    },
    ordinary: edge.app.callback(),
  });
  return {
    port: http.port,
    forms,
    lines,
    ordinary: () => edge.seen.length,
    async [Symbol.asyncDispose]() {
      await http.drain({ graceSeconds: 0 });
      await edge[Symbol.asyncDispose]();
    },
  };
}

const head = (port: number, headers: string, target = '/oauth2/token'): string =>
  `POST ${target} HTTP/1.1\r\nHost: localhost:${port}\r\n${headers}\r\n`;
const form = (length: number): string =>
  `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${length}\r\n`;

describe('plain lane', () => {
  it('answers a plain form by itself, on one connection as often as one likes', async () => {
    await using lane = await startLane(() => ({ ok: 'é' }));
    const request = `${head(lane.port, form(3))}a=b`;
    const { answers } = await exchange(lane.port, [request + request, request], { expected: 3 });
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    expect(Buffer.from(answers[2]?.body ?? '', 'latin1').toString()).to.equal('{"ok":"é"}');
    expect(lane.forms.map(({ body }) => String(body))).to.deep.equal(['a=b', 'a=b', 'a=b']);
    expect(lane.ordinary()).to.equal(0);
    while (lane.lines.length < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(lane.lines[0]).to.include({ method: 'POST', route: 'token', status: 200, ip: '127.0.0.1' });
  });

  it('asks nobody about what a guard would refuse or may treat otherwise', async () => {
    await using lane = await startLane(() => ({}));
    const { port } = lane;
    const type = 'Content-Type: application/x-www-form-urlencoded\r\n';
    const requests = [
      `${head(port, form(3)).replace('localhost', 'evil')}a=b`,
      `${head(port, `host: evil\r\n${form(3)}`)}a=b`,
      `${head(port, form(3), `http://localhost:${port}/oauth2/token`)}a=b`,
      `${head(port, form(3), '/oauth2/token?a')}a=b`,
      `${head(port, form(3), '/oauth2/token/')}a=b`,
      head(port, form(0)),
      `${head(port, `${type}Transfer-Encoding: chunked\r\n`)}3\r\na=b\r\n0\r\n\r\n`,
      `${head(port, `${form(3)}Content-Encoding: gzip\r\n`)}a=b`,
      `${head(port, 'Content-Type: application/json\r\nContent-Length: 2\r\n')}{}`,
      `${head(port, form(1001))}${'a'.repeat(1001)}`,
      `${head(port, form(6))}a=b%00`,
      `${head(port, form(4))}a=b\0`,
      `${head(port, `Authorization: Basic ${Buffer.from('a\0:b').toString('base64')}\r\n${form(3)}`)}a=b`,
    ];
    for (const request of requests) await exchange(port, [request]);
    expect(lane.forms).to.deep.equal([]);
  });

  it('asks nobody for a caller whom the limits stop', async () => {
    await using lane = await startLane(
      () => ({}),
      () => false,
    );
    await exchange(lane.port, [`${head(lane.port, form(3))}a=b`]);
    expect([lane.forms.length, lane.ordinary()]).to.deep.equal([0, 1]);
  });

  it('hands on what it declines, with the body unread, one id and one line', async () => {
    await using lane = await startLane(() => undefined);
    const { answers } = await exchange(lane.port, [head(lane.port, form(6)), 'a=', 'fail']);
    expect(answers[0]?.status).to.equal(400);
    expect(JSON.parse(answers[0]?.body ?? '')).to.include({ error: 'invalid_request' });
    while (lane.lines.length < 1) await new Promise((resolve) => setImmediate(resolve));
    expect(lane.lines).to.have.length(1);
    expect(lane.lines[0]?.requestId).to.equal(answers[0]?.headers.get('x-request-id'));
    expect(lane.lines[0]).to.include({ status: 400, route: 'token' });
  });

  it('tries once, and has its failure told by the error handler', async () => {
    await using lane = await startLane(() => {
      throw new AppError('unavailable', 'Not now.', { retryAfter: 1 });
    });
    const { answers } = await exchange(lane.port, [`${head(lane.port, form(3))}a=b`]);
    expect(answers[0]?.status).to.equal(503);
    expect(answers[0]?.headers.get('retry-after')).to.equal('1');
    expect([lane.forms.length, lane.ordinary()]).to.deep.equal([1, 0]);
  });

  it('writes one line for a client that leaves in the middle of its body', async () => {
    await using lane = await startLane(() => ({}));
    const socket = connect(lane.port, '127.0.0.1');
    socket.write(`${head(lane.port, form(9))}a=b`, () => setTimeout(() => socket.destroy(), 50));
    while (lane.lines.length < 1) await new Promise((resolve) => setImmediate(resolve));
    await exchange(lane.port, [`${head(lane.port, form(3))}a=b`]);
    while (lane.lines.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(lane.lines.map(({ status }) => status)).to.deep.equal([499, 200]);
    expect(lane.forms).to.have.length(1);
  });
});
