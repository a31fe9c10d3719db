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
import { expectPage } from '../support/web-client.js';
import { newPerson, readable, startLane, stockClients } from './playground-lane.js';
/** Enters the code on the issuer's pages and signs in. */
async function approve(person, address) {
    let page = await person.issuer.open(address);
    for (let step = 0; step < 6 && !/Sign-in Success/.test(page.text); step += 1) {
        page = page.text.includes('name="login"')
            ? await person.issuer.submit(page, { login: 'ann', password: 'x' }, 'login')
            : await person.issuer.submit(page, {}, page.text.includes('name="xsrf"') ? 'xsrf' : 'prompt');
    }
    return page;
}
describe('playground: device flow and machines', () => {
    let lane;
    before(async () => {
        lane = await startLane();
    });
    after(() => lane[Symbol.asyncDispose]());
    it('shows the code, says "not yet", and gets the tokens once the owner has agreed', async () => {
        const person = newPerson(lane);
        const waiting = expectPage(await person.app.post('/device', { scope: 'openid profile' }), 'playground-device');
        expect(readable(waiting)).to.match(/enter [A-Z]{4}-[A-Z]{4}/);
        const early = await person.app.submit(waiting, {}, 'action');
        expect(readable(early)).to.match(/Not yet: authorization_pending/);
        const owner = /<a class="button primary" href="([^"]+)"/.exec(waiting.text)?.[1] ?? '';
        expect((await approve(person, owner.replaceAll('&amp;', '&'))).status).to.equal(200);
        const tokens = expectPage(await person.app.submit(early, {}, 'action'), 'playground-tokens');
        expect(readable(tokens)).to.include('The device has its tokens and never saw a password.');
        expect(readable(tokens)).to.include('verified against the issuer’s JWKS');
        expect(readable(await person.app.open(waiting.url))).to.include('The tokens');
    });
    it('gets a machine its token and has it verified', async () => {
        const person = newPerson(lane);
        const tokens = expectPage(await person.app.post('/machine', { scope: 'notes:read', resource: lane.stock.apiIdentifier }), 'playground-tokens');
        expect(readable(tokens)).to.match(/sub "machine" The machine itself: nobody signed in/);
        expect(readable(tokens)).not.to.match(/Refresh|Sign out|Ask UserInfo/);
    });
    it('says why a machine gets nothing', async () => {
        const refused = await newPerson(lane).app.post('/machine', { resource: 'https://other.example' });
        expect(refused.status).to.equal(502);
        expect(readable(refused)).to.match(/refused the request: invalid_target/);
    });
    it('says why a device gets no code', async () => {
        const refused = await newPerson(lane).app.post('/device', { scope: 'openid email' });
        expect(refused.status).to.equal(502);
        expect(readable(refused)).to.match(/refused the request: invalid_scope/);
    });
});
describe('playground: without the other clients', () => {
    it('has no pages for them', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const lane = __addDisposableResource(env_1, await startLane({ playground: stockClients.playground }), true);
            const { app } = newPerson(lane);
            expect(readable(await app.open('/'))).not.to.match(/Connect a device|Machine to API/);
            expect((await app.open('/device')).status).to.equal(404);
            expect((await app.post('/machine', {})).status).to.equal(404);
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
});
