import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createApi, createClient } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { storeLanes } from '../support/store-lanes.ts';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const seconds = (): number => Math.floor(Date.now() / 1000);

interface Answer {
  readonly status: number;
  readonly error: string | undefined;
}

for (const lane of storeLanes()) {
  describe(`apps that prove themselves by keys, on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let api: string;
    let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
    let key: Record<string, unknown>;
    let hits = 0;
    let publish: RequestListener;
    let keysAt: string;

    before(async () => {
      server = stack.use(await startApp(await lane.env(stack)));
      api = await createApi(server);
      const pair = await generateKeyPair('ES256', { extractable: true });
      privateKey = pair.privateKey;
      key = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
      const publisher = createServer((req, res) => {
        hits += 1;
        publish(req, res);
      });
      await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
      stack.defer(() => {
        publisher.closeAllConnections();
        publisher.close();
      });
      keysAt = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}`;
    });
    after(() => stack.disposeAsync());

    /** A machine whose keys are given, or else somewhere of its own. */
    async function machine(jwks?: { keys: unknown[] }): Promise<string> {
      const { client } = await createClient(server, {
        kind: 'machine',
        apis: { [api]: ['notes:read'] },
        metadata: {
          token_endpoint_auth_method: 'private_key_jwt',
          ...(jwks ? { jwks: jwks as never } : { jwks_uri: `${keysAt}/${crypto.randomUUID()}` }),
        },
      });
      return client.id;
    }

    const assertion = (id: string, change: JWTPayload = {}): Promise<string> =>
      new SignJWT({
        iss: id,
        sub: id,
        aud: server.url,
        jti: crypto.randomUUID(),
        iat: seconds(),
        exp: seconds() + 60,
        ...change,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(privateKey);

    async function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
      const answer = await fetch(server.url + path, { method: 'POST', body: new URLSearchParams(fields), headers });
      const { error } = (await answer.json()) as { error?: string };
      return { status: answer.status, error } satisfies Answer;
    }
    const ask = (text: string): Promise<Answer> =>
      post('/oauth2/token', {
        grant_type: 'client_credentials',
        client_assertion_type: assertionType,
        client_assertion: text,
      });

    it('are known by what they publish, which is read once for a while', async () => {
      publish = (_req, res) => res.end(JSON.stringify({ keys: [key] }));
      const id = await machine();
      hits = 0;
      for (let turn = 0; turn < 3; turn += 1) expect(await ask(await assertion(id))).to.include({ status: 200 });
      expect(hits).to.equal(1);
    });

    it('are refused, and not asked again at once, when they publish too much, too many keys or nothing', async () => {
      const much = JSON.stringify({ keys: [key], more: 'a'.repeat(20_000_000) });
      const many = JSON.stringify({
        keys: [...Array.from({ length: 500 }, (_, n) => ({ ...key, kid: `k${n + 2}` })), key],
      });
      const publishers: RequestListener[] = [
        (_req, res) => res.end(much),
        (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(much)),
        (_req, res) => res.end(many),
        (req) => req.socket.destroy(),
      ];
      for (const [index, way] of publishers.entries()) {
        publish = way;
        const id = await machine();
        hits = 0;
        for (let turn = 0; turn < 3; turn += 1) {
          const answer = await ask(await assertion(id));
          expect(answer, String(index)).to.deep.equal({ status: 401, error: 'invalid_client' });
        }
        expect(hits, String(index)).to.equal(1);
      }
    });
  });
}
