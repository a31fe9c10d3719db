import { expect } from 'chai';
import { listenForManagement, type ManagementOptions } from '../../src/web/management.ts';
import { createMetrics } from '../../src/web/metrics.ts';
import { memoryLog } from './memory-log.ts';

async function start(options: Partial<ManagementOptions>) {
  const { logger, lines } = memoryLog();
  const registry = options.registry ?? createMetrics().registry;
  const server = await listenForManagement(
    { checks: [], isDraining: () => false, logger, registry, ...options },
    { port: 0, host: '127.0.0.1' },
  );
  const ask = async (path: string, init?: RequestInit): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { status: answer.status, text: await answer.text() };
  };
  return { ask, lines, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const fine = async (): Promise<void> => undefined;
const broken = async (): Promise<void> => {
  throw new Error('connect ECONNREFUSED 10.0.0.5:5432');
};

describe('management server', () => {
  it('is alive whatever else is broken', async () => {
    await using management = await start({ checks: [{ name: 'database', required: true, check: broken }] });
    expect(await management.ask('/livez')).to.include({ status: 200 });
  });

  it('tells ready, degraded, failing and draining apart', async () => {
    let draining = false;
    const database = { name: 'database', required: true, check: fine };
    const redis = { name: 'redis', required: false, check: fine };
    await using management = await start({ checks: [database, redis], isDraining: () => draining });
    const readiness = async (): Promise<unknown[]> => {
      const { status, text } = await management.ask('/readyz');
      return [status, JSON.parse(text)];
    };
    expect(await readiness()).to.deep.equal([200, { status: 'ok', checks: { database: 'ok', redis: 'ok' } }]);
    redis.check = broken;
    expect(await readiness()).to.deep.equal([
      200,
      { status: 'degraded', checks: { database: 'ok', redis: 'failing' } },
    ]);
    database.check = broken;
    expect((await readiness())[0]).to.equal(503);
    expect(management.lines.at(-1)?.reason).to.include('ECONNREFUSED');
    database.check = fine;
    redis.check = fine;
    draining = true;
    expect(await readiness()).to.deep.equal([503, { status: 'draining', checks: { database: 'ok', redis: 'ok' } }]);
  });

  it('gives a part that hangs one second', async () => {
    const hang = (): Promise<void> => new Promise(() => undefined);
    await using management = await start({ checks: [{ name: 'database', required: true, check: hang }] });
    const begun = performance.now();
    expect((await management.ask('/readyz')).status).to.equal(503);
    expect(performance.now() - begun).to.be.within(900, 8_000);
  });

  it('survives a check that throws at once', async () => {
    const check = (): Promise<void> => {
      throw new Error('at once');
    };
    await using management = await start({ checks: [{ name: 'x', required: true, check }] });
    expect((await management.ask('/readyz')).status).to.equal(503);
  });

  it('knows three paths and reading only', async () => {
    await using management = await start({});
    expect((await management.ask('/')).status).to.equal(404);
    expect((await management.ask('/livez', { method: 'POST' })).status).to.equal(405);
    expect((await management.ask('/livez?probe=1')).status).to.equal(200);
    expect((await management.ask('/livez', { method: 'HEAD' })).text).to.equal('');
  });

  it('shows what was counted, under names with a unit and without people', async () => {
    const metrics = createMetrics();
    metrics.observeRequest({ method: 'POST', route: 'token', status: 400, seconds: 0.004 });
    metrics.countSignIn('totp', 'failure');
    metrics.countToken('refresh_token', 'jwt');
    metrics.countIntrospection(false);
    metrics.countRateLimited('sign_in');
    metrics.observeStore('redis', 'find', 0.002, 'ok');
    let queue = 3;
    metrics.watch('password_queue_length', 'Passwords that wait for a hash.', () => queue);
    await using management = await start({ registry: metrics.registry });
    const first = (await management.ask('/metrics')).text;
    const expected = [
      'sallyport_http_requests_total{route="token",method="POST",status="4xx"} 1',
      'sallyport_http_request_duration_seconds_bucket{le="0.005",route="token",method="POST"} 1',
      'sallyport_sign_ins_total{factor="totp",outcome="failure"} 1',
      'sallyport_tokens_issued_total{grant="refresh_token",format="jwt"} 1',
      'sallyport_introspections_total{active="false"} 1',
      'sallyport_rate_limited_total{limit="sign_in"} 1',
      'sallyport_store_call_duration_seconds_count{store="redis",operation="find",outcome="ok"} 1',
      'sallyport_password_queue_length 3',
      'nodejs_eventloop_lag_seconds',
    ];
    for (const line of expected) expect(first).to.include(line);
    queue = 5;
    expect((await management.ask('/metrics')).text).to.include('sallyport_password_queue_length 5');
  });
});
