import { expect } from 'chai';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { readToken } from '../../src/playground/read-token.js';
const issuer = 'https://id.example.com';
const now = new Date('2026-01-01T00:00:00Z');
const seconds = now.getTime() / 1000;
describe('playground: reading tokens', () => {
    let keys;
    let sign;
    before(async () => {
        const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
        keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] });
        sign = (claims, header = {}) => new SignJWT({ iss: issuer, aud: 'app', exp: seconds + 60, ...claims })
            .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
            .sign(privateKey);
    });
    const read = (raw, more = {}) => readToken(raw, keys, { issuer, audience: 'app', now, ...more });
    const finding = async (raw, more = {}) => {
        const token = await read(raw, more);
        return token.format === 'jwt' ? `${token.verified}: ${token.finding}` : token.format;
    };
    it('verifies a good one and explains its claims', async () => {
        const token = await read(await sign({ sub: 'acc_1', auth_time: seconds, odd: ['<x>'] }));
        expect(token).to.include({ format: 'jwt', verified: true });
        if (token.format !== 'jwt')
            return;
        expect(token.claims.find(({ name }) => name === 'auth_time')?.time).to.deep.equal(now);
        expect(token.claims.find(({ name }) => name === 'sub')?.meaning).to.match(/^Who it is about/);
        expect(token.claims.find(({ name }) => name === 'odd')).to.deep.equal({ name: 'odd', value: '["<x>"]' });
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
        for (const raw of ['abc', 'a.b', 'a.b.c', 'a.b.c.d', '..', ''])
            expect((await read(raw)).format).to.equal('opaque');
    });
});
