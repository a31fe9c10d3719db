import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { CompactSign, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
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

    const refused: Answer = { status: 401, error: 'invalid_client' };

    it('prove it for an hour at most, and say so in a way that can be read', async () => {
      const id = await machine({ keys: [key] });
      const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
      const [, claims = ''] = (await assertion(id)).split('.');
      const nested = Buffer.from(claims, 'base64url').toString().replace('}', `,"more":${deep}}`);
      const header = { alg: 'ES256', kid: 'k1' };
      const bad = [
        await assertion(id, { exp: seconds() + 3700 }),
        await assertion(id, { exp: 9_999_999_999 }),
        await assertion(id, { exp: 1e300 }),
        await new CompactSign(Buffer.from(nested)).setProtectedHeader(header).sign(privateKey),
      ];
      for (const [index, text] of bad.entries()) {
        expect(await ask(text), String(index)).to.deep.equal(refused);
        const fields = { client_assertion_type: assertionType, client_assertion: text };
        for (const path of ['introspect', 'revoke', 'par']) {
          expect(await post(`/oauth2/${path}`, { token: 'x', ...fields }), path).to.deep.equal(refused);
        }
      }
      expect(await ask(await assertion(id, { exp: seconds() + 3600 }))).to.include({ status: 200 });
      expect(await ask(await assertion(id, { more: { a: [{ b: 'x[[['.repeat(99) }] } }))).to.include({ status: 200 });
    });

    it('are refused alike for an assertion that was used, at the same moment or later', async () => {
      const id = await machine({ keys: [key] });
      const text = await assertion(id);
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(text)));
      const [first, ...others] = answers.sort((one, two) => one.status - two.status);
      expect(first).to.include({ status: 200 });
      for (const answer of [...others, await ask(text)]) expect(answer).to.deep.equal(refused);
    });

    it('are told that a proof of possession was used, at the same moment or later', async () => {
      const id = await machine({ keys: [key] });
      const pair = await generateKeyPair('ES256', { extractable: true });
      const url = `${server.url}/oauth2/token`;
      const proof = await new SignJWT({ htm: 'POST', htu: url, jti: crypto.randomUUID(), iat: seconds() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(pair.publicKey) })
        .sign(pair.privateKey);
      const send = async () => {
        const fields = { client_assertion_type: assertionType, client_assertion: await assertion(id) };
        return post('/oauth2/token', { grant_type: 'client_credentials', ...fields }, { dpop: proof });
      };
      const answers = await Promise.all(Array.from({ length: 20 }, send));
      const [first, ...others] = answers.sort((one, two) => one.status - two.status);
      expect(first).to.include({ status: 200 });
      const used: Answer = { status: 400, error: 'invalid_dpop_proof' };
      for (const answer of [...others, await send()]) expect(answer).to.deep.equal(used);
    });

    it('may ask for claims that are nested as deep as claims are', async () => {
      const { client, secret = '' } = await createClient(server, {
        kind: 'web',
        metadata: { redirect_uris: ['https://app.example/callback'], token_endpoint_auth_method: 'client_secret_post' },
      });
      const fields = {
        client_id: client.id,
        response_type: 'code',
        redirect_uri: 'https://app.example/callback',
        scope: 'openid',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      };
      const nested = (depth: number) => `{"userinfo":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
      const push = (claims: string) => post('/oauth2/par', { ...fields, client_secret: secret, claims });
      expect(await push('{"userinfo":{"email":{"values":["[[["],"essential":true}}}')).to.include({ status: 201 });
      for (const depth of [5_000, 10_000]) {
        expect(await push(nested(depth))).to.deep.equal({ status: 400, error: 'invalid_request' });
      }
      const query = `${new URLSearchParams(fields)}&claims=${nested(5_000)}`;
      const shown = await fetch(`${server.url}/oauth2/authorize?${query}`, { redirect: 'manual' });
      expect(shown.status).to.be.within(300, 399);
      expect(new URL(shown.headers.get('location') ?? '').searchParams.get('error')).to.equal('invalid_request');
    });
  });
}
