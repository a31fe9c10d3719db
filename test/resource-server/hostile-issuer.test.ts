import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { createResourceServer } from '../../src/resource-server/index.ts';
import { audience, Issuer, refusal } from './issuer.ts';

describe('resource server: an issuer that misbehaves', () => {
  let server: Server;
  let url: string;
  let id: Issuer;
  let jwks: RequestListener;
  let redirected = 0;

  before(async () => {
    id = await Issuer.create();
    server = createServer((req, res) => {
      if (req.url === '/jwks') return jwks(req, res);
      if (req.url === '/elsewhere') {
        redirected += 1;
        return void res.end(JSON.stringify({ keys: id.published }));
      }
      res.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/jwks` }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const attempt = async (timeoutMilliseconds = 2_000): Promise<{ status: number; seconds: number }> => {
    const api = createResourceServer({ issuer: url, audience, timeoutMilliseconds, now: () => id.now });
    const token = await id.token({ iss: url });
    const started = performance.now();
    const status = await api.verify(token).then(
      () => 200,
      async (error: unknown) => (await refusal(Promise.reject(error))).status,
    );
    return { status, seconds: (performance.now() - started) / 1000 };
  };

  it('is served when it behaves', async () => {
    jwks = (_req, res) => void res.end(JSON.stringify({ keys: id.published }));
    expect((await attempt()).status).to.equal(200);
  });

  it('is given up when it is slow, before its answer or within it', async () => {
    const beginnings: RequestListener[] = [() => undefined, (_req, res) => void res.write('{"keys": [')];
    for (jwks of beginnings) {
      const { status, seconds } = await attempt(150);
      expect(status).to.equal(503);
      expect(seconds).to.be.lessThan(1);
    }
  });

  it('is not followed elsewhere', async () => {
    for (const status of [301, 302, 307, 308]) {
      jwks = (_req, res) => void res.writeHead(status, { location: '/elsewhere' }).end();
      expect((await attempt()).status).to.equal(503);
    }
    expect(redirected).to.equal(0);
  });

  it('is cut when it sends too much, announced, unannounced or compressed', async () => {
    const huge = Buffer.alloc(2 * 1024 * 1024, 32);
    const ways: RequestListener[] = [
      (_req, res) => void res.writeHead(200, { 'content-length': huge.length }).end(huge),
      (_req, res) => {
        for (let part = 0; part < 8; part += 1) res.write(huge.subarray(0, 256 * 1024));
        res.end();
      },
      (_req, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(huge)),
    ];
    for (jwks of ways) expect((await attempt()).status).to.equal(503);
  });

  it('is not understood when it sends something else', async () => {
    for (const body of ['<html>', '[]', '{"keys":{}}', '{"keys":', '']) {
      jwks = (_req, res) => void res.end(body);
      expect((await attempt()).status, body).to.equal(503);
    }
  });
});
