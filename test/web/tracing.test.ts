import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createOtlpExporter } from '../../src/app/otlp-exporter.ts';
import { readTraceParent } from '../../src/web/http/tracing.ts';
import { DirectClient } from '../support/direct-client.ts';
import { createClient, createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { memoryLog } from './memory-log.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: string } }[];
  readonly status?: { readonly code: number };
}

/** A collector that takes OTLP/HTTP in its JSON form. */
async function startCollector() {
  const spans: Span[] = [];
  const resources: string[] = [];
  const headers: (string | undefined)[] = [];
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req.setEncoding('utf8')) text += chunk;
    headers.push(`${req.method} ${req.url} ${req.headers['content-type']} ${req.headers['x-team']}`);
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      resources.push(JSON.stringify(resource));
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    spans,
    resources,
    headers,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const attributeOf = ({ attributes }: Span, name: string): string | undefined => {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
};

/** Asks from an address that is no trusted proxy. */
const askAsStranger = (url: string, traceparent: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const options = { localAddress: '127.0.0.5', headers: { traceparent }, agent: false } as const;
    get(url, options, (res) => res.resume().once('close', resolve)).once('error', reject);
  });

describe('traceparent', () => {
  const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  it('is read as W3C Trace Context has it', () => {
    expect(readTraceParent(`00-${trace}-${span}-01`)).to.deep.equal({ traceId: trace, spanId: span, sampled: true });
    expect(readTraceParent(`00-${trace}-${span}-02`)?.sampled).to.equal(false);
    expect(readTraceParent(`cc-${trace}-${span}-01-what-comes`)?.traceId).to.equal(trace);
  });
  for (const text of [
    undefined,
    '',
    `ff-${trace}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}`,
    `00-${trace}\r\n-${span}-01`,
  ]) {
    it(`is not read from ${JSON.stringify(text)}`, () => {
      expect(readTraceParent(text)).to.equal(undefined);
    });
  }
});

describe('traces', () => {
  let collector: Awaited<ReturnType<typeof startCollector>>;
  let server: RunningApp;
  const incoming = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
  const traceparent = `00-${incoming.traceId}-${incoming.spanId}-01`;
  let secret = '';
  let person: Awaited<ReturnType<typeof createPerson>>;

  before(async () => {
    collector = await startCollector();
    server = await startApp({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      SALLYPORT_OTLP_HEADERS: 'x-team=gate',
      SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
    });
    person = await createPerson(server);
    const made = await createClient(server, { kind: 'service', name: 'Checker' });
    secret = made.secret;
    const basic = Buffer.from(`${made.client.id}:${secret}`).toString('base64');
    const headers = {
      authorization: `Basic ${basic}`,
      'content-type': 'application/x-www-form-urlencoded',
      traceparent,
      'x-forwarded-for': '203.0.113.77',
    };
    const body = 'token=very-secret-token';
    await fetch(`${server.url}/oauth2/introspect?trace=query-secret`, { method: 'POST', headers, body });
    await fetch(`${server.url}/oauth2/introspect`, { method: 'POST', headers, body });
    await fetch(`${server.url}/sign-in/${person.account.id}/login?login_hint=${person.login}`);
    await fetch(`${server.url}/no-such-page`);
    const app = await DirectClient.register(server);
    expect((await app.login(person)).status).to.equal(200);
    await askAsStranger(`${server.url}/oauth2/jwks`, traceparent);
    // The end of the server sends what is left.
    await server[Symbol.asyncDispose]();
  });
  after(() => collector[Symbol.asyncDispose]());

  it('arrive as OTLP, one span for each request', () => {
    expect(collector.headers[0]).to.equal('POST /v1/traces application/json gate');
    expect(collector.resources[0]).to.include('"service.name"').and.include('sallyport');
    const requests = collector.spans.filter(({ kind }) => kind === 2);
    expect(requests.map(({ name }) => name).sort()).to.deep.equal([
      'GET jwks',
      'GET sign_in',
      'GET unknown',
      'POST api_sign_in',
      'POST introspection',
      'POST introspection',
    ]);
    for (const span of requests) {
      expect(attributeOf(span, 'http.response.status_code')).to.match(/^[245]\d\d$/);
      expect(span.traceId).to.match(/^[0-9a-f]{32}$/);
      const [start, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
      expect(end > start && Math.abs(Number(start / 1_000_000n) - Date.now()) < 120_000).to.equal(true);
    }
  });

  it('go on with the trace of a trusted proxy, and have what the request waited for', () => {
    const continued = collector.spans.filter(({ traceId }) => traceId === incoming.traceId);
    const requests = continued.filter(({ kind }) => kind === 2);
    expect(requests).to.have.length(2);
    for (const request of requests) expect(request.parentSpanId).to.equal(incoming.spanId);
    const ids = requests.map(({ spanId }) => spanId);
    const waits = continued.filter(({ kind }) => kind === 3);
    expect(waits.length).to.be.at.least(1);
    for (const wait of waits) {
      expect(ids).to.include(wait.parentSpanId);
      expect(wait.name).to.match(/^(sql|redis) [a-z]+$/);
    }
  });

  it('say how long a password waited for a thread', () => {
    const [request] = collector.spans.filter(({ name }) => name === 'POST api_sign_in');
    const hashes = collector.spans.filter(({ kind }) => kind === 1);
    expect(hashes.map(({ name }) => name)).to.deep.equal(['password verify']);
    const [hash] = hashes;
    expect(hash?.parentSpanId).to.equal(request?.spanId);
    expect(hash && Number(attributeOf(hash, 'sallyport.queue.wait_ms'))).to.be.within(0, 10_000);
    expect(hash).not.to.have.property('status');
  });

  it('begin anew for strangers', () => {
    const stranger = collector.spans.find(({ name }) => name === 'GET jwks');
    expect(stranger?.traceId).not.to.equal(incoming.traceId);
    expect(stranger).not.to.have.property('parentSpanId');
  });

  it('say nothing about people, tokens and addresses', () => {
    const everything = JSON.stringify([collector.spans, collector.resources]);
    const { id } = person.account;
    for (const text of [
      'very-secret',
      'query-secret',
      secret,
      id,
      person.login,
      person.password,
      '203.0.113.77',
      'login_hint',
    ]) {
      expect(everything, text).not.to.include(text);
    }
    const keys = new Set(collector.spans.flatMap(({ attributes }) => attributes.map(({ key }) => key)));
    expect([...keys].sort()).to.deep.equal([
      'db.operation.name',
      'db.system.name',
      'http.request.method',
      'http.response.status_code',
      'http.route',
      'sallyport.queue.wait_ms',
    ]);
  });
});

describe('the exporter of traces', () => {
  it('drops what nobody takes, says so once, and holds nothing up', async () => {
    const { logger, lines } = memoryLog();
    const exporter = createOtlpExporter({ url: 'http://127.0.0.1:9/v1/traces', headers: {}, version: '1', logger });
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: 'GET jwks', kind: 'server' } as const;
    for (let index = 0; index < 5_000; index += 1) {
      exporter.add({ ...span, start: 1, end: 2, attributes: {}, failed: false });
    }
    await exporter[Symbol.asyncDispose]();
    expect(exporter.dropped).to.equal(5_000);
    expect(lines.filter(({ msg }) => String(msg).includes('dropped'))).to.have.length(1);
  });
});
