import { expect } from 'chai';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from 'jose';
import { claimsByScope } from '../../src/oidc/claims.ts';
import { type ReadToken, readToken } from '../../src/playground/read-token.ts';

const issuer = 'https://id.example.com';
const now = new Date('2026-01-01T00:00:00Z');
const seconds = now.getTime() / 1000;

describe('playground: reading tokens', () => {
  let keys: JWTVerifyGetKey;
  let sign: (claims: object, header?: object) => Promise<string>;
  before(async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] });
    sign = (claims, header = {}) =>
      new SignJWT({ iss: issuer, aud: 'app', exp: seconds + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
        .sign(privateKey);
  });

  const read = (raw: string, more: object = {}): Promise<ReadToken> =>
    readToken(raw, keys, { issuer, audience: 'app', now, ...more });
  const finding = async (raw: string, more: object = {}): Promise<string> => {
    const token = await read(raw, more);
    return token.format === 'jwt' ? `${token.verified}: ${token.finding}` : token.format;
  };

  it('verifies a good one and explains its claims', async () => {
    const token = await read(await sign({ sub: 'acc_1', auth_time: seconds, odd: ['<x>'] }));
    expect(token).to.include({ format: 'jwt', verified: true });
    if (token.format !== 'jwt') return;
    expect(token.claims.find(({ name }) => name === 'auth_time')?.time).to.deep.equal(now);
    expect(token.claims.find(({ name }) => name === 'sub')?.meaning).to.match(/^Who it is about/);
    expect(token.claims.find(({ name }) => name === 'odd')).to.deep.equal({ name: 'odd', value: '["<x>"]' });
  });

  it('explains every claim that the server gives', async () => {
    const names = [...Object.values(claimsByScope).flat(), 'client_id', 'scope', 'jti', 'grant_id', 'cnf'] as string[];
    const token = await read(await sign(Object.fromEntries(names.map((name) => [name, 'x']))));
    if (token.format !== 'jwt') throw new Error('It is opaque.');
    expect(token.claims.filter(({ meaning }) => !meaning)).to.deep.equal([]);
  });

  it('refuses what is not the issuer’s, not for us, or over', async () => {
    const good = await sign({});
    const [header, payload, signature = ''] = good.split('.');
    const forged = `${header}.${Buffer.from(JSON.stringify({ iss: issuer, aud: 'app', exp: seconds + 60, sub: 'admin' })).toString('base64url')}.${signature}`;
    expect(await finding(forged)).to.match(/^false: The signature is not/);
    expect(await finding(await sign({}, { kid: 'two' }))).to.match(/^false: The issuer publishes no key/);
    expect(await finding(await sign({ aud: 'another' }))).to.match(/^false: .*"aud"/);
    expect(await finding(await sign({ iss: 'https://evil.example' }))).to.match(/^false: .*"iss"/);
    expect(await finding(await sign({ exp: seconds - 60 }))).to.match(/^false: .*expired/);
    expect(await finding(good, { typ: 'at+jwt' })).to.match(/^false: .*"typ"/);
    expect(payload).to.be.a('string');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect(await finding(unsigned)).to.match(/^false: /);
  });

  it('takes everything else for opaque', async () => {
    for (const raw of ['abc', 'a.b', 'a.b.c', 'a.b.c.d', '..', '']) expect((await read(raw)).format).to.equal('opaque');
  });
});
