var __addDisposableResource = (this && this.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var __disposeResources = (this && this.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});
import { expect } from 'chai';
import { canonicalAddress, createClientAddress } from '../../src/web/http/client-address.js';
import { startEdge } from './edge-app.js';
async function factsWith(edge, headers) {
    const answer = await fetch(`${edge.url}/facts`, { headers });
    return (await answer.json());
}
describe('client address', () => {
    it('reads addresses in every spelling that proxies use and nothing else', () => {
        const same = [
            '203.0.113.9',
            ' 203.0.113.9 ',
            '203.0.113.9:4711',
            '"203.0.113.9"',
            '::ffff:203.0.113.9',
            '[::FFFF:cb00:7109]:80',
        ];
        for (const text of same)
            expect(canonicalAddress(text), text).to.equal('203.0.113.9');
        for (const text of [
            '2001:db8::1',
            '2001:0DB8:0:0::0001',
            '[2001:db8::1]',
            '"[2001:db8::1]:443"',
            '2001:db8::1%eth0',
        ]) {
            expect(canonicalAddress(text), text).to.equal('2001:db8::1');
        }
        for (const text of [
            '',
            'unknown',
            '_hidden',
            '1.2.3',
            '1.2.3.4.5',
            '::g',
            '[',
            '[]',
            '"',
            '1.2.3.4:',
            '127.1',
            '0x7f.1',
            '010.0.0.1',
            '1'.repeat(70),
        ]) {
            expect(canonicalAddress(text), text).to.equal(undefined);
        }
    });
    it('refuses to start with a range it does not understand', () => {
        for (const entry of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'proxy.internal', '10.0.0.0/8/8', '::1/129', '']) {
            expect(() => createClientAddress({ trustedProxies: [entry] }), entry).to.throw(RangeError, entry);
        }
    });
    it('trusts nobody by default', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge(), true);
            const facts = await factsWith(edge, {
                'X-Forwarded-For': '198.51.100.7',
                'X-Forwarded-Proto': 'https',
                'X-Real-IP': '198.51.100.7',
                Forwarded: 'for=198.51.100.7;proto=https',
                'X-Request-Id': 'req_chosen_by_me',
            });
            expect(facts.ip).to.equal('127.0.0.1');
            expect(facts.state.clientProtocol).to.equal('http');
            expect(facts.requestId).to.match(/^req_[0-9a-z]{16}$/);
        }
        catch (e_1) {
            env_1.error = e_1;
            env_1.hasError = true;
        }
        finally {
            const result_1 = __disposeResources(env_1);
            if (result_1)
                await result_1;
        }
    });
    it('walks from the right over trusted proxies and stops at the first stranger', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8:ffff::/48'] }), true);
            const cases = [
                ['203.0.113.9', '203.0.113.9'],
                ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
                ['6.6.6.6, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
                ['203.0.113.9:5050, 10.1.2.3:80', '203.0.113.9'],
                ['2001:db8::5, [2001:db8:ffff::1]:443', '2001:db8::5'],
                ['203.0.113.9, ::ffff:10.1.2.3', '203.0.113.9'],
                ['10.9.9.9, 10.1.2.3', '10.9.9.9'],
                ['203.0.113.9, garbage, 10.1.2.3', '10.1.2.3'],
                ['203.0.113.9, ', '127.0.0.1'],
                ['', '127.0.0.1'],
                [`${'a,'.repeat(3000)}b`, '127.0.0.1'],
            ];
            for (const [header, ip] of cases) {
                expect((await factsWith(edge, { 'X-Forwarded-For': header })).ip, header.slice(0, 40)).to.equal(ip);
            }
        }
        catch (e_2) {
            env_2.error = e_2;
            env_2.hasError = true;
        }
        finally {
            const result_2 = __disposeResources(env_2);
            if (result_2)
                await result_2;
        }
    });
    it('takes scheme and request id from a trusted proxy', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge({ trustedProxies: ['127.0.0.1'] }), true);
            const facts = await factsWith(edge, { 'X-Forwarded-Proto': 'http, https', 'X-Request-Id': 'edge-4711.abc' });
            expect(facts.state.clientProtocol).to.equal('https');
            expect(facts.requestId).to.equal('edge-4711.abc');
            for (const bad of ['short', 'x'.repeat(65), 'has space in it', '<script>1234']) {
                expect((await factsWith(edge, { 'X-Request-Id': bad })).requestId, bad).to.match(/^req_/);
            }
        }
        catch (e_3) {
            env_3.error = e_3;
            env_3.hasError = true;
        }
        finally {
            const result_3 = __disposeResources(env_3);
            if (result_3)
                await result_3;
        }
    });
});
