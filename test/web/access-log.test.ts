import { expect } from 'chai';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { startEdge } from './edge-app.ts';
import { memoryLog } from './memory-log.ts';

describe('access log', () => {
  it('writes one line per request with the route’s name and nothing from the URL or the body', async () => {
    const { logger, lines, text } = memoryLog();
    const authorize = (ctx: EdgeContext): void => {
      Object.assign(ctx, { oidc: { route: 'authorization', client: { clientId: 'app_1' } } });
      ctx.body = 'ok';
    };
    await using edge = await startEdge({ logger, routes: { '/oauth2/authorize': authorize } });
    await fetch(`${edge.url}/oauth2/authorize?state=canary1&login_hint=canary2`);
    await fetch(`${edge.url}/OAUTH2/TOKEN?code=canary3`, {
      method: 'POST',
      body: new URLSearchParams({ password: 'canary4', client_secret: 'canary5' }),
      headers: { Authorization: 'Basic canary6', Cookie: 'session=canary7', 'User-Agent': 'canary8' },
    });
    await fetch(`${edge.url}/limited`);
    while (lines.length < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(lines).to.have.length(3);
    expect(lines[0]).to.include({
      method: 'GET',
      route: 'authorization',
      status: 200,
      ip: '127.0.0.1',
      client: 'app_1',
    });
    expect(lines[1]).to.include({ method: 'POST', route: 'token' });
    expect(lines[2]?.refusal).to.deep.equal({ code: 'rate_limited', reason: 'sign_in' });
    expect(lines[0]?.requestId).to.match(/^req_/);
    expect(lines[0]?.ms).to.be.a('number');
    expect(text()).to.not.include('canary');
  });

  it('hands the metrics labels from a closed set', async () => {
    const seen: { method: string; route: string; status: number }[] = [];
    await using edge = await startEdge({ observe: (observation) => seen.push(observation) });
    await fetch(`${edge.url}/made/up/${'x'.repeat(50)}`);
    await fetch(`${edge.url}/facts`, { method: 'PROPFIND' });
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(seen.map(({ method, route, status }) => ({ method, route, status }))).to.deep.equal([
      { method: 'GET', route: 'unknown', status: 404 },
      { method: 'OTHER', route: 'unknown', status: 405 },
    ]);
  });
});
