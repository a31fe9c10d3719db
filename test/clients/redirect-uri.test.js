import { expect } from 'chai';
import fc from 'fast-check';
import { redirectUriProblem, webUriProblem } from '../../src/clients/redirect-uri.js';
const web = { kind: 'web', allowLoopbackHttp: false };
const native = { kind: 'native', allowLoopbackHttp: false };
const local = { kind: 'spa', allowLoopbackHttp: true };
describe('redirect URIs', () => {
    const accepted = [
        ['https://app.example/cb', web],
        ['https://app.example', web],
        ['https://app.example/', web],
        ['https://app.example:8443/cb', web],
        ['https://app.example/cb?tenant=7&next=%2Fhome', web],
        ['https://xn--mnchen-3ya.de/cb', web],
        ['https://10.0.0.5/cb', web],
        ['https://localhost:8443/cb', web],
        ['http://localhost:8080/callback', local],
        ['http://127.0.0.1:8080/callback', local],
        ['http://[::1]:8080/callback', local],
        ['http://127.0.0.1/cb', native],
        ['http://[::1]/cb', native],
        ['http://localhost/cb', native],
        ['com.example.app:/callback', native],
        ['com.example.app://callback', native],
        ['com.example.app:/callback?x=1', native],
        ['https://app.example/claimed', native],
    ];
    for (const [uri, rules] of accepted) {
        it(`may be ${uri} for ${rules.kind}`, () => {
            expect(redirectUriProblem(uri, rules)).to.equal(undefined);
        });
    }
    const refused = [
        ['', web],
        ['/cb', web],
        ['//app.example/cb', web],
        ['app.example/cb', web],
        ['https:', web],
        ['https:app.example/cb', web],
        ['https:///app.example/cb', web],
        ['https:/app.example/cb', web],
        ['https://', web],
        ['http://app.example/cb', web],
        ['http://localhost:8080/cb', web],
        ['http://127.0.0.1/cb', web],
        ['https://app.example/cb#', web],
        ['https://app.example/cb#f', web],
        ['https://user@app.example/cb', web],
        ['https://user:pw@app.example/cb', web],
        ['https://rp@rp@evil.example/cb', web],
        ['https://@evil.example/cb', web],
        ['https://app.example:80@evil.example/', web],
        ['https://app.example\\@evil.example/cb', web],
        ['https://app.example/..\\cb', web],
        ['https://app.example/a/../cb', web],
        ['https://app.example/./cb', web],
        ['https://app.example/..;/cb', web],
        ['https://app.example/%2e%2e/cb', web],
        ['https://app.example/%2E./cb', web],
        ['https://app.example/a%2fb', web],
        ['https://app.example/a%5Cb', web],
        ['https://app.example/cb%00', web],
        ['https://app.example/cb%0d%0aSet-Cookie:x', web],
        ['https://app.example/cb?x=%0a', web],
        ['https://app.example:443/cb', web],
        ['https://APP.example/cb', web],
        ['HTTPS://app.example/cb', web],
        ['https://app.example./cb', web],
        ['https://*.app.example/cb', web],
        ['https://app.example*', web],
        ['https://app.example/*', web],
        ['https://app.ex\u00e4mple/cb', web],
        ['https://app\u3002example/cb', web],
        ['https://app.example/c b', web],
        ['https://app.example/\tcb', web],
        ['https://app.exa\nmple/cb', web],
        ['https://app.example/cb\r\n', web],
        [' https://app.example/cb', web],
        ['https://app.example/\u0000', web],
        ['https://0x7f.1/cb', web],
        ['https://2130706433/cb', web],
        ['https://app.example/cb?code=1', web],
        ['https://app.example/cb?state=1&x=2', web],
        ['javascript:alert(1)', web],
        ['javascript://app.example/%0aalert(1)', web],
        ['data:text/html,x', web],
        ['com.example.app:/callback', web],
        [`https://app.example/${'a'.repeat(1024)}`, web],
        ['javascript:alert(1)', native],
        ['data:text/html,x', native],
        ['vbscript:x', native],
        ['blob:https://app.example/1', native],
        ['file:///etc/passwd', native],
        ['about:blank', native],
        ['myapp:/callback', native],
        ['myapp://callback', native],
        ['com.example.app:callback', native],
        ['com.example.app:', native],
        ['com.example.app:/callback#f', native],
        ['com.example.app://user@callback', native],
        ['urn:ietf:wg:oauth:2.0:oob', native],
        ['http://app.example/cb', native],
        ['http://192.168.1.5/cb', native],
        ['http://127.1/cb', native],
        ['http://127.0.0.2/cb', native],
        ['http://localhost.evil.example/cb', native],
        ['http://localhost:80@evil.example/cb', native],
        ['https://localhost/cb', native],
        ['http://app.example/cb', local],
        ['http://localhost.evil.example:8080/cb', local],
        ['http://localhost:8080@evil.example/cb', local],
        ['com.example.app:/callback', local],
    ];
    for (const [uri, rules] of refused) {
        it(`may not be ${JSON.stringify(uri.slice(0, 80))} for ${rules.kind}`, () => {
            expect(redirectUriProblem(uri, rules)).to.be.a('string');
        });
    }
    it('that are accepted read the same to every parser, and lead where they say', () => {
        const piece = fc.constantFrom('a', '.', '/', '\\', '@', ':', '%2e', ';', '#', '?', '*', '\t', '..', '80', 'evil.example', '\u3002');
        const uri = fc.array(piece, { maxLength: 12 }).map((pieces) => `https://app.example${pieces.join('')}`);
        fc.assert(fc.property(uri, (text) => {
            if (redirectUriProblem(text, web) !== undefined)
                return;
            const url = new URL(text);
            expect([text, `${text}/`]).to.include(url.href);
            expect(url.username + url.password + url.hash).to.equal('');
            expect(text).to.match(/^https:\/\/app\.example[a-z0-9.]*(:\d+)?([/?]|$)/);
        }), { numRuns: 5000, seed: 20261121 });
    });
});
describe('addresses of an app', () => {
    it('are https, or this machine in development', () => {
        expect(webUriProblem('https://app.example/logo.svg', false)).to.equal(undefined);
        expect(webUriProblem('http://localhost:3001/', true)).to.equal(undefined);
        for (const uri of ['http://localhost:3001/', 'data:image/svg+xml,x', 'javascript:alert(1)', '/logo.svg', '']) {
            expect(webUriProblem(uri, false), uri).to.be.a('string');
        }
    });
});
