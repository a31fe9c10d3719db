import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { JWTPayload } from 'jose';
import { createResourceServer, type ResourceServer, type TokenRequest } from '../../src/resource-server/index.ts';
import { ReplayWindow } from '../../src/resource-server/replay-window.ts';
import { audience, Issuer, Prover, refusal } from './issuer.ts';

const url = `${audience}/orders`;

describe('resource server: tokens that are bound', () => {
  let id: Issuer;
  let api: ResourceServer;
  let prover: Prover;
  let token: string;

  beforeEach(async () => {
    id = await Issuer.create();
    api = createResourceServer(id.options());
    prover = await Prover.create();
    token = await id.token({ cnf: { jkt: prover.thumbprint } });
  });

  const show = async (proof: string, extra: Partial<TokenRequest> = {}, server = api) =>
    server.verify(token, { scheme: 'DPoP', method: 'GET', url, proof, ...extra });
  const codeOf = async (work: Promise<unknown>): Promise<string> => (await refusal(work)).code;

  it('pass with a proof by their key, for this request', async () => {
    await show(await prover.prove(token, id.now));
    await show(await prover.prove(token, id.now, { htu: `${url}?page=2#x` }), { url: `${url}?page=3` });
    await show(await prover.prove(token, id.now, { htu: 'HTTPS://API.example.com:443/v1/orders' }));
  });

  it('are refused as bearer tokens, and so is what is bound to nothing as a bound one', async () => {
    const error = await refusal(api.verify(token));
    expect(error.headers['WWW-Authenticate']).to.match(
      /^DPoP error="invalid_token".*algs="ES256 RS256 PS256 EdDSA Ed25519"$/,
    );
    expect(
      await codeOf(
        api.verify(token, { scheme: 'Bearer', method: 'GET', url, proof: await prover.prove(token, id.now) }),
      ),
    ).to.equal('invalid_token');
    token = await id.token();
    expect(await codeOf(show(await prover.prove(token, id.now)))).to.equal('invalid_token');
    const strict = createResourceServer(id.options({ dpop: { mode: 'required' } }));
    expect(await codeOf(strict.verify(token))).to.equal('invalid_token');
  });

  it('are refused with a proof for anything else', async () => {
    const other = await Prover.create();
    const prove = (extra: object, header = {}) => prover.prove(token, id.now, extra as JWTPayload, header);
    const bad: Record<string, Promise<string>> = {
      'another method': prove({ htm: 'POST' }),
      'method in small letters': prove({ htm: 'get' }),
      'another path': prove({ htu: `${audience}/users` }),
      'another host': prove({ htu: 'https://evil.example/v1/orders' }),
      'plain http': prove({ htu: 'http://api.example.com/v1/orders' }),
      'no address': prove({ htu: undefined }),
      'another token': prove({ ath: createHash('sha256').update('other').digest('base64url') }),
      'no token': prove({ ath: undefined }),
      yesterday: prove({ iat: id.seconds - 61 }),
      tomorrow: prove({ iat: id.seconds + 61 }),
      'no time': prove({ iat: undefined }),
      'no jti': prove({ jti: undefined }),
      'an empty jti': prove({ jti: '' }),
      'an endless jti': prove({ jti: 'x'.repeat(600) }),
      'another typ': prove({}, { typ: 'JWT' }),
      'another key': other.prove(token, id.now),
      'a key that did not sign': other.prove(token, id.now, {}, { jwk: undefined }),
      huge: prove({ padding: 'x'.repeat(9_000) }),
    };
    for (const [what, proof] of Object.entries(bad)) {
      const text = await proof.catch(() => 'e.e.e');
      expect(await codeOf(show(text)), what).to.equal('invalid_dpop_proof');
    }
    const good = await prover.prove(token, id.now);
    for (const proof of ['', `${good}, ${good}`, good.slice(0, -4), `${good}.`]) {
      expect(await codeOf(show(proof))).to.equal('invalid_dpop_proof');
    }
    await show(good);
  });

  it('are refused when a proof comes again, also at once 50 times', async () => {
    const proof = await prover.prove(token, id.now);
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => show(proof)));
    expect(all.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    id.advance(59);
    expect(await codeOf(show(proof))).to.equal('invalid_dpop_proof');
    id.advance(2);
    expect(await codeOf(show(proof)), 'when it was forgotten it is too old').to.equal('invalid_dpop_proof');
    const ahead = await prover.prove(token, id.now, { iat: id.seconds + 59 });
    await show(ahead);
    id.advance(118);
    expect(await codeOf(show(ahead)), 'one from a fast clock is remembered as long as it is good').to.equal(
      'invalid_dpop_proof',
    );
  });

  it('forget no used proof to make room, and do not let strangers fill the memory', async () => {
    const window = new ReplayWindow(2, () => id.now);
    const small = createResourceServer(id.options({ dpop: { replays: window } }));
    const stranger = await Prover.create();
    for (let round = 0; round < 5; round += 1) await refusal(show(await stranger.prove(token, id.now), {}, small));
    const proofs = [await prover.prove(token, id.now), await prover.prove(token, id.now)];
    for (const proof of proofs) await show(proof, {}, small);
    expect(await codeOf(show(await prover.prove(token, id.now), {}, small))).to.equal('unavailable');
    for (const proof of proofs) expect(await codeOf(show(proof, {}, small))).to.equal('invalid_dpop_proof');
    id.advance(70);
    await show(await prover.prove(token, id.now), {}, small);
  });

  it('need a nonce where one is wanted, and are told it', async () => {
    const nonces = { current: () => 'n-2', isGood: (nonce: string) => nonce === 'n-2' || nonce === 'n-1' };
    const server = createResourceServer(id.options({ dpop: { nonces } }));
    for (const nonce of [undefined, 'n-0', 7]) {
      const error = await refusal(show(await prover.prove(token, id.now, { nonce }), {}, server));
      expect(error.code).to.equal('use_dpop_nonce');
      expect(error.headers['DPoP-Nonce']).to.equal('n-2');
      expect(error.headers['WWW-Authenticate']).to.match(/^DPoP error="use_dpop_nonce"/);
    }
    await show(await prover.prove(token, id.now, { nonce: 'n-1' }), {}, server);
  });

  it('pass with the certificate that they name and with no other (RFC 8705)', async () => {
    const raw = randomBytes(600);
    const x5t = createHash('sha256').update(raw).digest('base64url');
    const bound = await id.token({ cnf: { 'x5t#S256': x5t } });
    await api.verify(bound, { certificate: raw });
    await api.verify(bound, { certificate: { raw } });
    expect(await codeOf(api.verify(bound))).to.equal('invalid_token');
    expect(await codeOf(api.verify(bound, { certificate: randomBytes(600) }))).to.equal('invalid_token');
    expect(await codeOf(api.verify(bound, { certificate: 'not a PEM' }))).to.equal('invalid_token');
    const both = await id.token({ cnf: { 'x5t#S256': x5t, jkt: prover.thumbprint } });
    expect(await codeOf(api.verify(both, { certificate: raw }))).to.equal('invalid_token');
    const proof = await prover.prove(both, id.now);
    await api.verify(both, { certificate: raw, scheme: 'DPoP', method: 'GET', url, proof });
  });

  it('are refused when they are bound in a way that nobody here knows', async () => {
    for (const cnf of [{}, { jwk: {} }, { kid: 'x' }, { jkt: 7 }, { jkt: prover.thumbprint, other: 1 }, null, 'x']) {
      const odd = await id.token({ cnf: cnf as never });
      const proof = await prover.prove(odd, id.now);
      for (const scheme of ['Bearer', 'DPoP'] as const) {
        expect(await codeOf(api.verify(odd, { scheme, method: 'GET', url, proof })), JSON.stringify(cnf)).to.equal(
          'invalid_token',
        );
      }
    }
  });
});
