import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { startEdge } from './edge-app.ts';
import { exchange } from './raw-http.ts';

const get = (host: string, extra = '', target = '/facts'): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${extra}Accept: text/html\r\n\r\n`;

describe('host guard', () => {
  it('lets in the issuer and says where it is to everybody else', async () => {
    await using edge = await startEdge();
    const own = `localhost:${edge.port}`;
    for (const host of [own, own.toUpperCase()]) {
      expect((await exchange(edge.port, [get(host)])).answers[0]?.status, host).to.equal(200);
    }
    const strangers = [
      'evil.example',
      'localhost',
      `127.0.0.1:${edge.port}`,
      `localhost.:${edge.port}`,
      `user@${own}`,
      `evil.example:80@${own}`,
      `${own}:80`,
      `${own}@evil.example`,
      `${own}.evil.example`,
      `${own}, evil.example`,
      `[::1]:${edge.port}`,
      '',
    ];
    for (const host of strangers) {
      const [answer] = (await exchange(edge.port, [get(host)])).answers;
      expect(answer?.status, host).to.equal(421);
      expect(answer?.body, host).to.include(edge.url).and.not.include('evil');
      expect(answer?.headers.get('content-security-policy'), host).to.include("default-src 'none'");
    }
    expect(edge.seen).to.have.length(2);
  });

  it('may use the one style that it brings, and nothing else', async () => {
    await using edge = await startEdge();
    const [answer] = (await exchange(edge.port, [get('evil.example')])).answers;
    const style = /<style>([^<]*)<\/style>/.exec(answer?.body ?? '')?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(style).to.include('light-dark(');
    expect(answer?.headers.get('content-security-policy')).to.include(`style-src 'sha256-${hash}';`);
    expect(answer?.headers.get('content-security-policy')).to.not.include('script-src').and.not.include('unsafe');
  });

  it('takes the default port as part of the same address', async () => {
    await using edge = await startEdge({ issuer: 'https://id.example.com' });
    for (const host of ['id.example.com', 'id.example.com:443']) {
      expect((await exchange(edge.port, [get(host)])).answers[0]?.status, host).to.equal(200);
    }
    for (const host of ['id.example.com:80', 'id.example.com:4430', 'id.example.com:']) {
      expect((await exchange(edge.port, [get(host)])).answers[0]?.status, host).to.equal(421);
    }
  });

  it('derives every URL from the issuer, whatever forwarded headers say', async () => {
    await using edge = await startEdge({ issuer: 'https://id.example.com', trustedProxies: ['127.0.0.1'] });
    const lies = 'X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nForwarded: host=evil.example\r\n';
    const [answer] = (await exchange(edge.port, [get('id.example.com', lies, '/facts?a=1')])).answers;
    expect(JSON.parse(answer?.body ?? '')).to.include({
      host: 'id.example.com',
      hostname: 'id.example.com',
      protocol: 'https',
      secure: true,
      href: 'https://id.example.com/facts?a=1',
    });
  });

  it('refuses targets that are not paths, two Hosts and none', async () => {
    await using edge = await startEdge();
    const own = `localhost:${edge.port}`;
    const requests = [
      get(own, '', `http://${own}/facts`),
      get(own, '', 'http://evil.example/facts'),
      get(own, '', 'https://[::/facts'),
      `OPTIONS * HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
      get(own, 'Host: evil.example\r\n'),
      get(own, `hOST: ${own}\r\n`),
      'GET /facts HTTP/1.1\r\n\r\n',
      'GET /facts HTTP/1.0\r\n\r\n',
    ];
    for (const request of requests) {
      const [answer] = (await exchange(edge.port, [request])).answers;
      expect(answer?.status, request).to.equal(400);
      expect(answer?.headers.get('x-frame-options'), request).to.equal('DENY');
    }
    expect(edge.seen).to.have.length(0);
  });

  it('treats a path that looks like an authority as a path', async () => {
    await using edge = await startEdge();
    const [answer] = (await exchange(edge.port, [get(`localhost:${edge.port}`, '', '//evil.example/facts')])).answers;
    expect(answer?.status).to.equal(404);
    expect(edge.seen[0]?.href).to.equal(`${edge.url}//evil.example/facts`);
  });
});
