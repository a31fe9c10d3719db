import type Router from '@koa/router';
import { expect } from 'chai';
import Koa, { type Middleware } from 'koa';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { useEdge } from '../../src/web/http/edge.ts';
import { type HttpServer, listen } from '../../src/web/http/server.ts';
import { createWellKnownRoutes } from '../../src/web/well-known.ts';

describe('well-known documents', () => {
  const relatedOrigins = ['https://shop.example.net', 'https://shop.example.de'];
  let http: HttpServer;
  let issuer: string;

  const start = async (passkeys: boolean, origins: readonly string[]): Promise<void> => {
    http = await listen((req, res) => void answer(req, res), { port: 0, host: '127.0.0.1' });
    issuer = `http://localhost:${http.port}`;
    const app = new Koa();
    useEdge(app, {
      issuer,
      trustedProxies: [],
      metadataMaxAge: 300,
      popups: false,
      bodyLimit: 65_536,
      clock: systemClock,
      logger: silentLogger(),
      access: silentLogger(),
      renderErrorPage: (_ctx, page) => page.title,
    });
    const router: Router = createWellKnownRoutes({ issuer, passkeys, relatedOrigins: origins });
    app.use(router.routes() as Middleware);
    const answer = app.callback();
  };
  const get = (path: string): Promise<Response> => fetch(`${issuer}${path}`, { redirect: 'manual' });

  afterEach(async () => {
    await http.drain({ noticeSeconds: 0, graceSeconds: 0 });
  });

  it('lead to the pages for passwords and passkeys, by the issuer’s address', async () => {
    await start(true, []);
    const password = await get('/.well-known/change-password');
    expect(password.status).to.equal(303);
    expect(password.headers.get('location')).to.equal(`${issuer}/account/password`);
    const passkeys = await get('/.well-known/passkey-endpoints');
    expect(passkeys.status).to.equal(200);
    expect(passkeys.headers.get('content-type')).to.match(/^application\/json/);
    expect(passkeys.headers.get('cache-control')).to.equal('public, max-age=3600');
    const page = `${issuer}/account/passkeys`;
    expect(await passkeys.json()).to.deep.equal({ enroll: page, manage: page });
    expect((await get('/.well-known/webauthn')).status, 'nobody is related').to.equal(404);
  });

  it('name related origins exactly as they are configured', async () => {
    await start(true, relatedOrigins);
    const response = await get('/.well-known/webauthn');
    expect(response.headers.get('content-type')).to.match(/^application\/json/);
    expect(await response.json()).to.deep.equal({ origins: relatedOrigins });
  });

  it('promise no passkeys where there are none, and nothing that does not exist', async () => {
    await start(false, relatedOrigins);
    for (const name of [
      'passkey-endpoints',
      'webauthn',
      'resource-that-should-not-exist-whose-status-code-should-not-be-200',
    ]) {
      expect((await get(`/.well-known/${name}`)).status, name).to.equal(404);
    }
  });
});
