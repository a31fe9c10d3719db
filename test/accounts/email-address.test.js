import { expect } from 'chai';
import fc from 'fast-check';
import { parseEmail } from '../../src/accounts/email-address.js';
const key = (text) => parseEmail(text)?.key;
describe('mail addresses', () => {
    it('keep what was given, trimmed, and fold what they are compared by', () => {
        expect(parseEmail('  Alex.Smith+News@Example.COM ')).to.deep.equal({
            address: 'Alex.Smith+News@Example.COM',
            key: 'alex.smith+news@example.com',
        });
    });
    const same = [
        ['case', 'ALEX@EXAMPLE.COM', 'alex@example.com'],
        ['composed and decomposed letters', 'zo\u00eb@example.com', 'zoe\u0308@example.com'],
        ['fullwidth letters', '\uff41lex@example.com', 'alex@example.com'],
        ['ligatures', 'o\ufb03ce@example.com', 'office@example.com'],
        ['sharp s', 'stra\u00dfe@example.com', 'STRASSE@example.com'],
        ['dotless i (Django CVE-2019-19844)', 'm\u0131ke@example.com', 'mike@example.com'],
        ['Kelvin sign', 'mi\u212ae@example.com', 'mike@example.com'],
        ['final sigma', '\u03c3\u03bf\u03c6\u03bf\u03c2@example.com', '\u03a3\u039f\u03a6\u039f\u03a3@example.com'],
        ['punycode', 'a@m\u00fcnchen.de', 'a@xn--mnchen-3ya.de'],
        ['a decomposed domain', 'a@mu\u0308nchen.de', 'A@M\u00dcNCHEN.DE'],
    ];
    for (const [what, left, right] of same) {
        it(`that differ in ${what} are the same`, () => {
            expect(key(left)).to.be.a('string').and.equal(key(right));
        });
    }
    it('that differ in more are not the same', () => {
        const addresses = ['a@example.com', 'a@example.org', 'b@example.com', 'a.b@example.com', 'a+b@example.com'];
        expect(new Set(addresses.map(key)).size).to.equal(addresses.length);
        expect(key('a@stra\u00dfe.de')).to.not.equal(key('a@strasse.de'));
    });
    const refused = [
        '',
        'alex',
        '@example.com',
        'alex@',
        'a@b@example.com',
        'alex\uff20example.com',
        'alex\ufe6bexample.com',
        'al\uff20ex@example.com',
        'alex@exam\uff20ple.com',
        'alex@localhost',
        'alex@127.0.0.1',
        'alex@[127.0.0.1]',
        'alex@1.2.3.0x4',
        'alex@example.com\r\nBcc: eve@evil.example',
        'alex@example\u0000.com',
        'al\u0000ex@example.com',
        'al ex@example.com',
        'alex@exa mple.com',
        '"alex"@example.com',
        'Alex <alex@example.com>',
        'alex@example.com,eve@evil.example',
        'alex@example.com;eve@evil.example',
        '.alex@example.com',
        'alex.@example.com',
        'al..ex@example.com',
        'alex@.example.com',
        'alex@example..com',
        'alex@example.com.',
        'alex@-example.com',
        'alex@example-.com',
        'alex@example\u3002com',
        'alex@example\uff0ecom',
        'alex@exam_ple.com',
        'alex@xn--a.de',
        'al\u200bex@example.com',
        'al\u00adex@example.com',
        'al\u202eex@example.com',
        'al\ufe0fex@example.com',
        'al\ufdfaex@example.com',
        'al\ud800ex@example.com',
        'al\ue000ex@example.com',
        `${'a'.repeat(65)}@example.com`,
        `a@${'b'.repeat(64)}.com`,
        `a@${'bcd.'.repeat(70)}com`,
        'a'.repeat(100_000),
    ];
    for (const text of refused) {
        it(`are refused: ${JSON.stringify(text.slice(0, 60))}`, () => {
            expect(parseEmail(text)).to.equal(undefined);
        });
    }
    const check = (text) => {
        const email = parseEmail(text);
        if (!email)
            return false;
        expect(parseEmail(email.key)?.key).to.equal(email.key);
        expect(parseEmail(email.address)).to.deep.equal(email);
        expect(email.key.split('@')).to.have.length(2);
        expect(email.key).to.not.match(/[\p{C}\p{Z}<>(),;:"[\]\\]/u);
        return true;
    };
    const settings = { numRuns: 2000, seed: 20261121 };
    it('have a key that is an address and its own key, with one @ and no odd characters', () => {
        const person = fc.stringMatching(/^[\p{L}\p{N}'_-][\p{L}\p{M}\p{N}.+'_-]{0,8}$/u);
        let accepted = 0;
        fc.assert(fc.property(person, (text) => {
            if (check(`${text}@example.com`))
                accepted += 1;
        }), settings);
        expect(accepted).to.be.greaterThan(500);
    });
    it('have such a key with any domain', () => {
        const host = fc.stringMatching(/^(?:[a-z\u00df-\u00ff\u0131\u03b1-\u03c9\u0430-\u044f\uff41-\uff5a-]|[\u0300-\u0308]){1,8}$/u);
        let accepted = 0;
        fc.assert(fc.property(host, (text) => {
            if (check(`a@${text}.com`))
                accepted += 1;
        }), settings);
        expect(accepted).to.be.greaterThan(500);
    });
    it('never make it through with anything else, and never throw', () => {
        fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
            const email = parseEmail(text);
            if (email)
                expect(email.key.indexOf('@')).to.equal(email.key.lastIndexOf('@'));
        }), { numRuns: 3000, seed: 20261121 });
    });
});
