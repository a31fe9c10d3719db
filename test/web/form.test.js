import { expect } from 'chai';
import fc from 'fast-check';
import { AppError } from '../../src/shared/errors.js';
import { readForm } from '../../src/web/http/form.js';
const read = (text) => Object.fromEntries(readForm(Buffer.from(text, 'latin1')));
describe('form', () => {
    it('reads what browsers send', () => {
        expect(read('username=ada+l&password=a%2Bb%26c%3D%20%C3%A9&empty=&bare&')).to.deep.equal({
            username: 'ada l',
            password: 'a+b&c= é',
            empty: '',
            bare: '',
        });
        expect(read('')).to.deep.equal({});
    });
    it('reads back every form that a browser can write', () => {
        const pairs = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z_-]{1,12}$/).filter((name) => name !== 'constructor' && name !== 'prototype'), fc.string({ unit: 'grapheme' })), { selector: ([name]) => name, maxLength: 20 });
        fc.assert(fc.property(pairs, (entries) => {
            const clean = entries.map(([name, value]) => [name, value.replaceAll('\0', '').toWellFormed()]);
            expect(read(new URLSearchParams(clean).toString())).to.deep.equal(Object.fromEntries(clean));
        }), { seed: 7, numRuns: 300 });
    });
    it('refuses everything that two readers could read differently', () => {
        const hostile = [
            'a=1&a=2',
            'a=1&%61=2',
            'a[]=1',
            'a[b]=1',
            'a%5B%5D=1',
            '__proto__=1',
            '__proto__[x]=1',
            'constructor=1',
            'prototype=x',
            'a=%00',
            '%00=a',
            'a=%ff',
            'a=%C3',
            'a=%ED%A0%80',
            'a=%',
            'a=%zz',
            'a=\xff',
            Array.from({ length: 101 }, (_, index) => `f${index}=1`).join('&'),
        ];
        for (const text of hostile) {
            expect(() => read(text), text.slice(0, 40))
                .to.throw(AppError)
                .with.property('code', 'invalid_input');
        }
        expect({}.x).to.equal(undefined);
    });
    it('does not decode what arbitrary bytes mean, it refuses or reads them', () => {
        fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
            try {
                for (const [name, value] of readForm(bytes))
                    expect(`${name}${value}`.isWellFormed()).to.equal(true);
            }
            catch (error) {
                expect(error).to.be.instanceOf(AppError);
            }
        }), { seed: 7, numRuns: 2000 });
    });
});
