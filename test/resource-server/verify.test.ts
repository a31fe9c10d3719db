import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { exportJWK, exportSPKI, type JWTPayload } from 'jose';
import { createResourceServer, type ResourceServer } from '../../src/resource-server/index.ts';
import { audience, Issuer, issuer, newPair, refusal } from './issuer.ts';

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('resource server: JWTs', () => {
  let id: Issuer;
  let api: ResourceServer;

  beforeEach(async () => {
    id = await Issuer.create();
    api = createResourceServer(id.options());
  });

  const refused = async (token: string): Promise<void> => {
    const error = await refusal(api.verify(token));
    expect({ code: error.code, status: error.status }).to.deep.equal({ code: 'invalid_token', status: 401 });
    expect(error.headers['WWW-Authenticate']).to.match(
      /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="https:\/\/api\.example\.com\/\.well-known\/oauth-protected-resource\/v1"$/,
    );
  };

  it('takes a good one, fetching nothing before it and everything once', async () => {
    expect(id.calls).to.deep.equal([]);
    const token = await id.token({ acr: 'aal2' });
    const results = await Promise.all(Array.from({ length: 50 }, () => api.verify(token)));
    for (const { claims, scopes } of results) {
      expect(claims).to.include({ sub: 'acc_1', client_id: 'web', acr: 'aal2' });
      expect([...scopes]).to.deep.equal(['orders.read', 'orders.write']);
    }
    await api.verify(await id.token({ aud: ['https://other.example', audience] }));
    expect(id.calls).to.deep.equal(['/.well-known/openid-configuration', '/jwks']);
  });

  it('cannot be talked into another algorithm', async () => {
    const claims = id.claims();
    const none = `${b64({ alg: 'none', typ: 'at+jwt' })}.${b64(claims)}.`;
    await refused(none);
    await refused(`${none}AA`);
    // The public key as a secret, as PEM and as JWK: the classic confusion.
    const { jwk } = id.pair;
    for (const secret of [JSON.stringify(jwk), jwk.x ?? '']) {
      const signed = `${b64({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${b64(claims)}`;
      await refused(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`);
    }
    // A key of the set that is meant for something else, or is of another algorithm.
    const rsa = await newPair('rsa', 'RS512');
    id.published.push(rsa.jwk);
    await refused(await id.sign(claims, {}, rsa));
    expect(() => createResourceServer(id.options({ algorithms: ['ES256', 'HS256'] }))).to.throw(RangeError);
    expect(() => createResourceServer(id.options({ algorithms: ['none'] }))).to.throw(RangeError);
    expect(() => createResourceServer(id.options({ toleranceSeconds: 600 }))).to.throw(RangeError);
  });

  it('looks at no key and no address that the header brings', async () => {
    const own = await newPair('k1');
    const jwk = await exportJWK(own.privateKey);
    const spki = await exportSPKI((await newPair('x')).privateKey).catch(() => 'none');
    for (const header of [
      { jwk: own.jwk },
      { jku: 'https://evil.example/jwks', jwk },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: [spki] },
      { kid: '../../dev/null' },
      { kid: '' },
      { crit: ['exp'], exp: 1 },
      { crit: ['b64'], b64: true, kid: 'k2' },
    ]) {
      const token = await id.sign(id.claims(), header as never, own).catch(() => undefined);
      if (token !== undefined) await refused(token);
    }
    expect(id.calls.every((path) => ['/.well-known/openid-configuration', '/jwks'].includes(path))).to.equal(true);
  });

  it('takes nothing that is signed by the same keys but is no access token', async () => {
    for (const typ of [
      'JWT',
      'logout+jwt',
      'statuslist+jwt',
      'token-introspection+jwt',
      'dpop+jwt',
      'secevent+jwt',
      '',
    ]) {
      await refused(await id.token({}, { typ }));
    }
    await api.verify(await id.token({}, { typ: 'application/at+jwt' }));
    await api.verify(await id.token({}, { typ: 'AT+JWT' }));
  });

  it('takes nothing of another issuer, for another audience, or without what every token has', async () => {
    const bad: JWTPayload[] = [
      { iss: `${issuer}/` },
      { iss: 'https://evil.example' },
      { aud: 'https://api.example.com/v2' },
      { aud: `${audience}/` },
      { aud: [] },
      { aud: [audience, 7] as never },
      { aud: { [audience]: true } as never },
      { aud: `${audience} https://x.example` },
      { exp: undefined as never },
      { jti: undefined as never },
      { sub: undefined as never },
      { client_id: undefined },
      { exp: 'later' as never },
      { nbf: 'now' as never },
    ];
    for (const extra of bad) await refused(await id.token(extra));
  });

  it('allows clocks a few seconds and no more, also for tokens that it remembers', async () => {
    const token = await id.token({ exp: id.seconds + 10, nbf: id.seconds + 4 });
    await api.verify(token);
    id.advance(14);
    await api.verify(token);
    id.advance(2);
    await refused(token);
    await refused(await id.token({ nbf: id.seconds + 7 }));
  });

  it('refuses what is huge or malformed without looking into it', async () => {
    for (const token of [
      '',
      '.',
      'a.b.c',
      'eyJ',
      'ey.ey',
      'eyJ.e30.AA',
      `ey${'a'.repeat(20_000)}.a.a`,
      'ey\0.a.a',
      'at_opaque',
    ]) {
      await refused(token);
    }
    await refused(await id.token({ padding: 'x'.repeat(9_000) }));
    expect(id.calls).to.deep.equal([]);
  });

  it('checks the signature of a remembered token no more, and finds no other token in its place', async () => {
    const token = await id.token();
    const first = await api.verify(token);
    expect((await api.verify(token)).claims).to.equal(first.claims);
    expect(() => {
      (first.claims as { sub: string }).sub = 'acc_2';
    }).to.throw(TypeError);
    const [head, body, signature = ''] = token.split('.');
    const other = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    await refused(`${head}.${body}.${other}`);
    const forgetful = createResourceServer(id.options({ rememberTokens: 1 }));
    const [a, b] = [await id.token(), await id.token()];
    const before = (await forgetful.verify(a)).claims;
    await forgetful.verify(b);
    expect((await forgetful.verify(a)).claims).to.not.equal(before);
  });

  it('lets a remembered token go when its key is gone from the JWKS', async () => {
    const token = await id.token();
    await api.verify(token);
    id.published = [(await newPair('k2')).jwk];
    id.advance(299);
    await api.verify(token);
    id.advance(2);
    await refused(token);
  });

  describe('keys', () => {
    it('finds a new one when a token names it, once in a cool-down whatever names are made up', async () => {
      await api.verify(await id.token());
      expect(id.count('/jwks')).to.equal(1);
      const next = await newPair('k2');
      id.published = [id.pair.jwk, next.jwk];
      id.advance(31);
      await api.verify(await id.sign(id.claims(), {}, next));
      expect(id.count('/jwks')).to.equal(2);
      id.advance(31);
      const forged = await newPair('forged');
      const flood = Array.from({ length: 100 }, (_, index) => id.sign(id.claims(), { kid: `f${index}` }, forged));
      for (const token of await Promise.all(flood)) await refused(token);
      expect(id.count('/jwks')).to.equal(3);
      id.advance(31);
      await Promise.all((await Promise.all(flood)).map((token) => refused(token)));
      expect(id.count('/jwks')).to.equal(4);
    });

    it('are used a limited time longer when the issuer is away, and nobody waits for it twice', async () => {
      api = createResourceServer(id.options({ keys: { staleSeconds: 1000 } }));
      await api.verify(await id.token());
      id.answers.set('/jwks', () => {
        throw new TypeError('fetch failed');
      });
      id.advance(301);
      for (let round = 0; round < 10; round += 1) await api.verify(await id.token());
      expect(id.count('/jwks')).to.equal(2);
      id.advance(1000);
      const error = await refusal(api.verify(await id.token()));
      expect({ code: error.code, status: error.status, headers: error.headers }).to.deep.equal({
        ...{ code: 'unavailable', status: 503 },
        headers: { 'Retry-After': '1' },
      });
    });

    it('come from the metadata of the issuer itself, by https', async () => {
      for (const metadata of [
        { issuer: 'https://evil.example', jwks_uri: `${issuer}/jwks` },
        { issuer, jwks_uri: 'http://id.example.com/jwks' },
        { issuer, jwks_uri: 'file:///etc/passwd' },
        { issuer, jwks_uri: 'https://user@id.example.com/jwks' },
        { issuer },
        [],
        null,
      ]) {
        const server = createResourceServer(id.options());
        id.answers.set('/.well-known/openid-configuration', () => Response.json(metadata));
        expect((await refusal(server.verify(await id.token()))).code).to.equal('unavailable');
      }
      expect(id.count('/jwks')).to.equal(0);
    });

    it('are public ones only: symmetric and private keys in the set open nothing', async () => {
      const { privateKey } = id.pair;
      const exported = { ...(await exportJWK(privateKey)), kid: 'k1', alg: 'ES256' };
      for (const keys of [
        [exported],
        [{ kty: 'oct', k: 'AAAA', kid: 'k1' }],
        [{ ...id.pair.jwk, use: 'enc' }],
        [7, null],
      ]) {
        id.published = keys as never;
        const server = createResourceServer(id.options());
        expect((await refusal(server.verify(await id.token()))).code).to.equal('invalid_token');
      }
    });
  });
});
