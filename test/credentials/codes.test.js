import { expect } from 'chai';
import { generateSync } from 'otplib';
import { newBackupCode, readBackupCode } from '../../src/credentials/backup-code.js';
import { newTotpSecret, readTotpCode, totpStep, totpUri } from '../../src/credentials/totp.js';
describe('TOTP codes', () => {
    // RFC 6238 appendix B, SHA-1, the last six of eight digits; the secret is "12345678901234567890" in base32.
    const rfc = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    it('follow the test vectors of RFC 6238', () => {
        for (const [seconds, code] of [
            [59, '287082'],
            [1111111109, '081804'],
            [1234567890, '005924'],
            [20000000000, '353130'],
        ]) {
            expect(totpStep(rfc, code, seconds * 1000), code).to.equal(Math.floor(seconds / 30));
        }
    });
    it('are accepted one step around the current one and no further', () => {
        const secret = newTotpSecret();
        const now = 1_800_000_015_000;
        const step = Math.floor(now / 30_000);
        for (const offset of [-1, 0, 1]) {
            const code = generateSync({ secret, epoch: now / 1000 + offset * 30 });
            expect(totpStep(secret, code, now), String(offset)).to.equal(step + offset);
        }
        for (const offset of [-3, -2, 2, 3]) {
            const code = generateSync({ secret, epoch: now / 1000 + offset * 30 });
            expect(totpStep(secret, code, now), String(offset)).to.not.equal(step + offset);
        }
    });
    it('are six ASCII digits with any spaces', () => {
        expect(readTotpCode('012345')).to.equal('012345');
        expect(readTotpCode(' 012 345 ')).to.equal('012345');
        const bad = [
            '',
            '12345',
            '1234567',
            '12345a',
            '\u0661\u0662\u0663\u0664\u0665\u0666',
            '+12345',
            '1e5',
            '123-456',
            '12345\n',
            '１２３４５６',
        ];
        for (const input of [...bad, `${' '.repeat(50)}123456`])
            expect(readTotpCode(input), input).to.equal(undefined);
    });
    it('have secrets of 160 bits, all different', () => {
        const secrets = new Set(Array.from({ length: 200 }, newTotpSecret));
        expect(secrets.size).to.equal(200);
        for (const secret of secrets)
            expect(secret).to.match(/^[A-Z2-7]{32}$/);
    });
    it('are described for the app with issuer and account, whose colons cannot be confused', () => {
        const uri = new URL(totpUri('A'.repeat(32), 'Gate: East', 'alex:x@example.com'));
        expect(uri.protocol).to.equal('otpauth:');
        expect(decodeURIComponent(uri.pathname).split(':')).to.have.length(2);
        expect(uri.searchParams.get('secret')).to.equal('A'.repeat(32));
        expect(uri.searchParams.get('issuer')).to.equal('Gate  East');
    });
});
describe('backup codes', () => {
    it('have 80 random bits in four groups', () => {
        const codes = new Set(Array.from({ length: 500 }, newBackupCode));
        expect(codes.size).to.equal(500);
        for (const code of codes)
            expect(code).to.match(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
    });
    it('are read in any case, grouping and with look-alike letters', () => {
        expect(readBackupCode('ABCD-EFGH-JK01-2345')).to.equal('abcdefghjk012345');
        expect(readBackupCode(' abcd efgh\u2013jkol 2345 ')).to.equal('abcdefghjk012345');
        expect(readBackupCode('abcdefghjkOI2345')).to.equal('abcdefghjk012345');
        const code = newBackupCode();
        expect(readBackupCode(code.toUpperCase())).to.equal(code.replaceAll('-', ''));
    });
    it('are nothing else', () => {
        for (const bad of [
            '',
            'abcd',
            'abcdefghjk01234',
            'abcdefghjk0123456',
            'abcdefghjk01234u',
            'x'.repeat(10_000),
            '\0'.repeat(16),
        ]) {
            expect(readBackupCode(bad), bad.slice(0, 20)).to.equal(undefined);
        }
    });
});
