import { createRequire } from 'node:module';
import { expect } from 'chai';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { startEdge } from './edge-app.ts';
import { exchange } from './raw-http.ts';

const everywhere: Record<string, RegExp> = {
  'content-security-policy': /^default-src 'none'; .*frame-ancestors 'none'; object-src 'none'/,
  'x-frame-options': /^DENY$/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'permissions-policy': /camera=\(\)/,
  'cache-control': /^no-store$/,
};
const page = (ctx: EdgeContext): void => {
  ctx.body = '<!DOCTYPE html>';
};

describe('security headers', () => {
  it('are on every answer, whatever its status and method', async () => {
    await using edge = await startEdge();
    const request = (line: string, rest = ''): string =>
      `${line} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n${rest}\r\n`;
    const cases: [number, string][] = [
      [200, request('GET /facts')],
      [200, request('HEAD /facts')],
      [302, request('GET /redirect')],
      [400, request('GET http://x/')],
      [400, 'NONSENSE\r\n\r\n'],
      [400, request('GET /facts', 'Bad Header: x\r\n')],
      [403, request('POST /csrf')],
      [404, request('GET /nowhere')],
      [404, request('OPTIONS /nowhere')],
      [405, request('GET /oauth2/token')],
      [405, request('PUT /oauth2/authorize')],
      [405, request('TRACE /facts')],
      [405, request('PROPFIND /facts')],
      [413, request('POST /facts', 'Content-Length: 900000\r\n')],
      [415, `${request('POST /facts', 'Content-Length: 1\r\n')}x`],
      [417, request('POST /facts', 'Expect: miracles\r\n')],
      [421, 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
      [429, request('GET /limited')],
      [431, request('GET /facts', `X: ${'x'.repeat(17_000)}\r\n`)],
      [500, request('GET /defect')],
    ];
    for (const [status, text] of cases) {
      const { answers } = await exchange(edge.port, [text], { expected: 1 });
      expect(answers[0]?.status, text.slice(0, 60)).to.equal(status);
      for (const [name, value] of Object.entries(everywhere)) {
        expect(answers[0]?.headers.get(name), `${status} ${name}`).to.match(value);
      }
    }
  });

  it('keep the opener away unless sign-in in a popup is wanted', async () => {
    const openerPolicies = async (popups: boolean): Promise<(string | null)[]> => {
      await using edge = await startEdge({ popups, routes: { '/sign-in/a/login': page, '/account': page } });
      const answers = await Promise.all(['/sign-in/a/login', '/account'].map((path) => fetch(edge.url + path)));
      return answers.map(({ headers }) => headers.get('cross-origin-opener-policy'));
    };
    expect(await openerPolicies(false)).to.deep.equal(['same-origin', 'same-origin']);
    expect(await openerPolicies(true)).to.deep.equal(['unsafe-none', 'same-origin']);
  });

  it('limit where forms lead on the consoles only, because a sign-in ends with a redirect to another origin', async () => {
    await using edge = await startEdge({ routes: { '/sign-in/a/login': page, '/account/x': page, '/admin': page } });
    const policy = async (path: string): Promise<string | null> =>
      (await fetch(edge.url + path)).headers.get('content-security-policy');
    expect(await policy('/sign-in/a/login')).to.not.include('form-action');
    expect(await policy('/oauth2/authorize')).to.not.include('form-action');
    expect(await policy('/account/x')).to.include("form-action 'self'");
    expect(await policy('/admin')).to.include("form-action 'self'");
  });

  it('ask for https for a year when the issuer has it', async () => {
    await using plain = await startEdge();
    expect((await fetch(`${plain.url}/facts`)).headers.has('strict-transport-security')).to.equal(false);
    await using tls = await startEdge({ issuer: 'https://id.example.com' });
    const { answers } = await exchange(tls.port, ['GET /facts HTTP/1.1\r\nHost: id.example.com\r\n\r\n']);
    expect(answers[0]?.headers.get('strict-transport-security')).to.equal('max-age=31536000');
  });

  it('let anybody read and cache the JWKS, but not its errors', async () => {
    await using edge = await startEdge({ metadataMaxAge: 120 });
    const answer = await fetch(`${edge.url}/oauth2/jwks`, {
      headers: { Origin: 'https://spa.example' },
    });
    expect(answer.headers.get('cache-control')).to.equal('public, max-age=120');
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
    expect(answer.headers.has('vary')).to.equal(false);
    expect(answer.headers.has('access-control-allow-credentials')).to.equal(false);
    const missing = await fetch(`${edge.url}/.well-known/openid-configuration`);
    expect(missing.status).to.equal(404);
    expect(missing.headers.get('cache-control')).to.equal('no-store');
  });

  it('leave room for the hash that oidc-provider adds for its form_post page', async () => {
    const require = createRequire(import.meta.url);
    const file = require.resolve('oidc-provider').replace(/index\.js$/, 'response_modes/form_post.js');
    const { default: formPost } = (await import(file)) as {
      default: (ctx: EdgeContext, action: string, fields: Record<string, string>) => void;
    };
    const respond = (ctx: EdgeContext): void => formPost(ctx, 'https://app.example/cb', { code: 'x' });
    await using edge = await startEdge({ routes: { '/oauth2/authorize': respond } });
    const policy = (await fetch(`${edge.url}/oauth2/authorize`)).headers.get('content-security-policy') ?? '';
    expect(policy).to.match(/script-src 'self' 'sha256-[\w+/=]{44}'/);
    expect(policy).to.include("frame-ancestors 'none'");
  });
});
