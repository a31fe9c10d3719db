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
import argon2 from 'argon2';
import { expect } from 'chai';
import { createPasswordHasher } from '../../src/credentials/password-hasher.js';
import { AppError } from '../../src/shared/errors.js';
import { silentLogger } from '../../src/shared/logger.js';
const cheap = { memoryKiB: 256, passes: 1 };
for (const engine of ['fast', 'portable']) {
    describe(`the password hasher, ${engine} engine`, () => {
        let hasher;
        before(() => {
            hasher = createPasswordHasher({ ...cheap, workers: 2, queue: 50, engine, logger: silentLogger() });
        });
        after(() => hasher[Symbol.asyncDispose]());
        it('makes argon2id hashes that the argon2 package verifies, each with its own salt', async () => {
            const [one, two] = await Promise.all([hasher.hash('open sesame'), hasher.hash('open sesame')]);
            expect(one)
                .to.match(/^\$argon2id\$v=19\$m=256,t=1,p=1\$/)
                .and.not.equal(two);
            expect(await argon2.verify(one, 'open sesame')).to.equal(true);
            expect(await hasher.verify(one, 'open sesame')).to.equal('match');
            expect(await hasher.verify(one, 'Open sesame')).to.equal('mismatch');
        });
        it('verifies hashes of other types, versions and lanes', async () => {
            const cost = { memoryCost: 256, timeCost: 2 };
            const kinds = [
                { type: 0 },
                { type: 1 },
                { version: 0x10 },
                { parallelism: 3 },
            ];
            for (const options of kinds) {
                const foreign = await argon2.hash('open sesame', { ...cost, ...options, raw: false });
                expect(await hasher.verify(foreign, 'open sesame'), foreign).to.equal('match');
                expect(await hasher.verify(foreign, 'open'), foreign).to.equal('mismatch');
            }
        });
        it('never matches a missing or malformed hash, and does not throw', async () => {
            expect(await hasher.verify(undefined, 'open sesame')).to.equal('mismatch');
            for (const bad of ['', 'x', 'plain:open sesame', '$argon2id$v=19$m=256,t=1,p=1$']) {
                expect(await hasher.verify(bad, 'open sesame'), bad).to.equal('malformed');
            }
        });
        it('derives the same hashes from the same salt', async () => {
            const salt = Buffer.alloc(16, 7);
            const [one] = await hasher.derive(['a', 'b'], salt, cheap);
            const again = await hasher.derive(['a'], salt, cheap);
            expect(Buffer.from(one)).to.deep.equal(Buffer.from(again[0]));
            expect(await argon2.hash('a', { salt, memoryCost: 256, timeCost: 1, parallelism: 1, raw: true })).to.deep.equal(Buffer.from(one));
        });
    });
}
describe('the queue of the password hasher', () => {
    it('takes as many as may wait and refuses the others with 503 and Retry-After', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const hasher = __addDisposableResource(env_1, createPasswordHasher({ ...cheap, workers: 2, queue: 5, logger: silentLogger() }), true);
            const results = await Promise.allSettled(Array.from({ length: 50 }, () => hasher.verify(undefined, 'x')));
            const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
            expect(results.length - refused.length).to.equal(2 + 5);
            for (const error of refused) {
                expect(error).to.be.instanceOf(AppError);
                expect(error.code).to.equal('unavailable');
                expect(error.details.retryAfter).to.equal(2);
            }
            expect(hasher.waiting).to.equal(0);
            expect(await hasher.verify(undefined, 'x')).to.equal('mismatch');
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
    it('outlives a thread that dies over a task', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const hasher = __addDisposableResource(env_2, createPasswordHasher({ ...cheap, workers: 1, queue: 5, logger: silentLogger() }), true);
            // A salt of one byte is more than argon2 can take, and ends the thread.
            const broken = hasher.derive(['a'], Buffer.alloc(1), cheap);
            const after = hasher.hash('open sesame');
            const error = await broken.then(() => undefined, (reason) => reason);
            expect(error).to.be.instanceOf(AppError).with.property('code', 'unavailable');
            expect(await argon2.verify(await after, 'open sesame')).to.equal(true);
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
    it('refuses what waits when it is disposed, and everything after', async () => {
        const hasher = createPasswordHasher({ ...cheap, workers: 1, queue: 5, logger: silentLogger() });
        await hasher.hash('warm');
        const pending = Promise.allSettled([hasher.hash('a'), hasher.hash('b'), hasher.hash('c')]);
        await hasher[Symbol.asyncDispose]();
        const codes = (await pending).map((result) => (result.status === 'rejected' ? result.reason.code : 'done'));
        expect(codes).to.deep.equal(['unavailable', 'unavailable', 'unavailable']);
        const late = await hasher.hash('d').catch((reason) => reason);
        expect(late).to.be.instanceOf(AppError).with.property('code', 'unavailable');
    });
});
