import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import fastify from 'fastify';
import Koa from 'koa';
import {
  type Access,
  createResourceServer,
  type Demand,
  forExpress,
  forFastify,
  forKoa,
  forRequest,
  type ResourceServer,
  requireScope,
  toResponse,
} from '../../src/resource-server/index.ts';
import { Issuer, Prover } from './issuer.ts';

/** Express comes without types; this is what is used of it. */
type Handler = (req: never, res: never, next: (error?: unknown) => void) => unknown;
const express = createRequire(import.meta.url)('express') as () => RequestListener & {
  use(path: string, ...handlers: Handler[]): void;
  Router(): unknown;
};

type Framework = (api: ResourceServer, demand: Demand) => Promise<RequestListener> | RequestListener;

const frameworks: Record<string, Framework> = {
  koa(api, demand) {
    const app = new Koa();
    app.silent = true;
    app.use(forKoa(api, demand));
    app.use((ctx) => {
      ctx.body = { sub: (ctx.state.access as Access).claims.sub };
    });
    return app.callback();
  },
  express(api, demand) {
    const app = express();
    const answer = (_req: unknown, res: { locals: { access: Access }; json(body: unknown): void }): void =>
      res.json({ sub: res.locals.access.claims.sub });
    app.use('/v1', forExpress(api, demand) as unknown as Handler, answer as Handler);
    return app;
  },
  async fastify(api, demand) {
    const app = fastify();
    app.addHook('onRequest', forFastify(api, demand));
    app.all('/*', async (request) => ({ sub: (request as unknown as { access: Access }).access.claims.sub }));
    await app.ready();
    return (req, res) => app.routing(req, res);
  },
  request: (api, demand) => async (req, res) => {
    const headers = Object.entries(req.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    const request = new Request(`http://${req.headers.host}${req.url}`, { method: req.method ?? 'GET', headers });
    const answer = await forRequest(api, request, { demand }).then(
      ({ claims }) => Response.json({ sub: claims.sub }),
      toResponse,
    );
    res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  },
};

for (const [name, make] of Object.entries(frameworks)) {
  describe(`resource server: ${name}`, () => {
    let id: Issuer;
    let server: Server;
    let url: string;

    before(async () => {
      id = await Issuer.create();
      id.now = Date.now();
      const api = createResourceServer(id.options());
      server = createServer(await make(api, (access) => requireScope(access, 'orders.read')));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/orders`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    const call = async (headers: Record<string, string> | [string, string][] = {}, method = 'GET') => {
      const response = await fetch(url, { method, headers });
      const body = (await response.json()) as Record<string, unknown>;
      return {
        status: response.status,
        body,
        challenge: response.headers.get('www-authenticate') ?? '',
        headers: response.headers,
      };
    };

    it('lets a good request through with who it is', async () => {
      const { status, body } = await call({ authorization: `Bearer ${await id.token()}` });
      expect({ status, body }).to.deep.equal({ status: 200, body: { sub: 'acc_1' } });
    });

    it('answers for the others: no token, a bad one, too little scope', async () => {
      const none = await call();
      expect(none.status).to.equal(401);
      expect(none.challenge).to.match(/^Bearer resource_metadata="https:\/\/api\.example\.com\/\.well-known/);
      const bad = await call({ authorization: `Bearer ${await id.token({ aud: 'https://other.example' })}` });
      expect(bad.status).to.equal(401);
      expect(bad.challenge).to.include('error="invalid_token"');
      expect(bad.body.error).to.equal('invalid_token');
      const little = await call({ authorization: `Bearer ${await id.token({ scope: 'orders.write' })}` });
      expect(little.status).to.equal(403);
      expect(little.challenge).to.include('scope="orders.read"');
    });

    it('says 503 and when to try again while the issuer is away', async () => {
      const away = await Issuer.create();
      away.answers.clear();
      const other = createServer(await make(createResourceServer(away.options()), () => undefined));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const response = await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/v1/orders`, {
        headers: { authorization: `Bearer ${await away.token()}` },
      });
      expect(response.status).to.equal(503);
      expect(response.headers.get('retry-after')).to.equal('1');
      expect(response.headers.get('www-authenticate')).to.equal(null);
      other.closeAllConnections();
      other.close();
    });

    it('holds a proof against the address that callers know, not against Host', async () => {
      const prover = await Prover.create();
      const token = await id.token({ cnf: { jkt: prover.thumbprint } });
      const authorization = `DPoP ${token}`;
      expect((await call({ authorization, dpop: await prover.prove(token, id.now) })).status).to.equal(200);
      const byHost = await call({ authorization, dpop: await prover.prove(token, id.now, { htu: url }) });
      expect(byHost.status).to.equal(401);
      expect(byHost.challenge).to.match(/^DPoP error="invalid_dpop_proof"/);
      const post = await call({ authorization, dpop: await prover.prove(token, id.now) }, 'POST');
      expect(post.status).to.equal(401);
      const proofs = [await prover.prove(token, id.now), await prover.prove(token, id.now)] as const;
      const twice: [string, string][] = [
        ['authorization', authorization],
        ...proofs.map((one): [string, string] => ['dpop', one]),
      ];
      expect((await call(twice)).status).to.equal(401);
      expect((await call({ authorization: `Bearer ${token}` })).status).to.equal(401);
    });
  });
}
