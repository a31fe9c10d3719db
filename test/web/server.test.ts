import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { expect } from 'chai';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { listen } from '../../src/web/http/server.ts';
import { startEdge } from './edge-app.ts';
import { exchange } from './raw-http.ts';

/** A route that answers when the test says so. */
function gate(): { readonly wait: (ctx: EdgeContext) => Promise<void>; readonly arrived: Promise<void>; open(): void } {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    arrived: arrived.promise,
    open: () => opened.resolve(),
    async wait(ctx) {
      arrived.resolve();
      await opened.promise;
      ctx.body = { done: true };
    },
  };
}

describe('server', () => {
  it('has limits on how slowly and how much may be sent', async () => {
    await using edge = await startEdge();
    const { keepAliveTimeout, headersTimeout, requestTimeout, maxRequestsPerSocket } = edge.http.server;
    expect({ keepAliveTimeout, headersTimeout, requestTimeout, maxRequestsPerSocket }).to.deep.equal({
      keepAliveTimeout: 65_000,
      headersTimeout: 15_000,
      requestTimeout: 30_000,
      maxRequestsPerSocket: 0,
    });
  });

  it('says that a port is taken', async () => {
    await using edge = await startEdge();
    const second = await listen(() => undefined, { port: edge.port, host: '127.0.0.1' }).catch(
      (error: unknown) => error,
    );
    expect(second).to.have.property('code', 'EADDRINUSE');
  });

  it('answers pipelined requests in their order', async () => {
    await using edge = await startEdge();
    const line = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`;
    const paths = ['/facts', '/nowhere', '/defect', '/facts', '/limited'];
    const { answers } = await exchange(edge.port, [paths.map(line).join('')], { expected: 5 });
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 404, 500, 200, 429]);
  });

  it('never lets an answer to garbage pass for the answer to the request before it', async () => {
    const slow = gate();
    await using edge = await startEdge({ routes: { '/slow': slow.wait } });
    const request = `GET /slow HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`;
    const outcome = exchange(edge.port, [request, 'GARBAGE\r\n\r\n'], { expected: 2 });
    const { answers, closed } = await outcome;
    slow.open();
    expect(closed).to.equal(true);
    expect(answers).to.deep.equal([]);
  });

  it('finishes what is under way when it drains, and tells clients to go elsewhere', async () => {
    const slow = gate();
    await using edge = await startEdge({ routes: { '/slow': slow.wait } });
    const agent = new Agent({ keepAlive: true });
    const answered = once(get(`${edge.url}/slow`, { agent }), 'response');
    await slow.arrived;
    const drained = edge.http.drain({ graceSeconds: 10 });
    const refused = await fetch(`${edge.url}/facts`).catch(() => 'refused');
    expect(refused).to.equal('refused');
    slow.open();
    const [response] = (await answered) as [import('node:http').IncomingMessage];
    expect([response.statusCode, response.headers.connection]).to.deep.equal([200, 'close']);
    response.resume();
    expect(await drained).to.equal(0);
    agent.destroy();
  });

  it('goes on serving during the notice, without keeping connections', async () => {
    await using edge = await startEdge();
    const drained = edge.http.drain({ noticeSeconds: 0.4, graceSeconds: 1 });
    const answer = await fetch(`${edge.url}/facts`);
    expect([answer.status, answer.headers.get('connection')]).to.deep.equal([200, 'close']);
    expect(await drained).to.equal(0);
  });

  it('cuts what does not finish in time and says how much that was', async () => {
    const stuck = [gate(), gate()];
    await using edge = await startEdge({
      routes: Object.fromEntries(stuck.map(({ wait }, index) => [`/stuck${index}`, wait])),
    });
    const asked = stuck.map((_, index) =>
      fetch(`${edge.url}/stuck${index}`).then(
        () => 'answered',
        () => 'cut',
      ),
    );
    await Promise.all(stuck.map(({ arrived }) => arrived));
    expect(await edge.http.drain({ graceSeconds: 0.1 })).to.equal(2);
    expect(await Promise.all(asked)).to.deep.equal(['cut', 'cut']);
    for (const { open } of stuck) open();
  });
});
