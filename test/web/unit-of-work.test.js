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
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { AppError } from '../../src/shared/errors.js';
import { openPglite } from '../../src/storage/pglite.js';
import { currentUnitOfWork } from '../../src/storage/unit-of-work.js';
import { storeFailure } from '../../src/web/http/store-failure.js';
import { createUnitOfWork } from '../../src/web/http/unit-of-work.js';
import { sqlLanes, testDatabase } from '../support/database.js';
import { startEdge } from './edge-app.js';
const away = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });
it('gives the connection back when a step before the commit fails', async () => {
    const database = await openPglite(undefined);
    const failed = database.unitOfWork(0, async (unit) => {
        await database.join();
        unit.beforeCommit.push(() => Promise.reject(new Error('step')));
    });
    expect(await failed.catch((error) => error.message)).to.equal('step');
    await database.sql.raw('select 1');
    await database[Symbol.asyncDispose]();
});
for (const lane of sqlLanes()) {
    describe(`unit of work of a request on ${lane}`, () => {
        let database;
        before(async () => {
            database = await testDatabase(lane);
            await database.sql.raw('create table if not exists web_probe (id text primary key)');
        });
        /** Runs one request whose handler writes a row and then takes `step`; says what was answered and what was kept. */
        async function request(step, { applies = true, path = '/oauth2/token' } = {}) {
            const env_1 = { stack: [], error: void 0, hasError: false };
            try {
                const id = randomUUID();
                const unitOfWork = createUnitOfWork({ database, applies: () => applies });
                const edge = __addDisposableResource(env_1, await startEdge({
                    routes: {
                        [path]: (ctx) => unitOfWork(ctx, async () => {
                            await storeFailure(ctx, async () => {
                                await database.join();
                                await database.sql('web_probe').insert({ id });
                                await step(ctx);
                            });
                        }),
                    },
                }), true);
                const method = path === '/oauth2/token' ? 'POST' : 'GET';
                const answer = await fetch(edge.url + path, { method, redirect: 'manual' });
                const kept = (await database.sql('web_probe').where({ id })).length === 1;
                return { status: answer.status, kept, headers: answer.headers, text: await answer.text() };
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
        }
        const answerWith = (status, body = { ok: true }) => (ctx) => {
            ctx.status = status;
            ctx.body = body;
        };
        it('keeps what a success and a refusal wrote and drops what a failure wrote', async () => {
            expect(await request(answerWith(200))).to.include({ status: 200, kept: true });
            expect(await request(answerWith(303))).to.include({ status: 303, kept: true });
            expect(await request(answerWith(400))).to.include({ status: 400, kept: true });
            expect(await request(answerWith(500))).to.include({ status: 500, kept: false });
            expect(await request(() => Promise.reject(new Error('defect')))).to.include({ status: 500, kept: false });
        });
        it('keeps a counted wrong try although the use case threw, but not when it was unavailable', async () => {
            const refuse = (code) => () => Promise.reject(new AppError(code, 'No.'));
            expect(await request(refuse('forbidden'))).to.include({ status: 403, kept: true });
            expect(await request(refuse('unavailable'))).to.include({ status: 503, kept: false });
        });
        it('commits before the answer leaves', async () => {
            const { status, text } = await request(async (ctx) => {
                await database.sql.raw('create temporary table late (id int unique deferrable initially deferred) on commit drop');
                await database.sql.raw('insert into late values (1), (1)');
                ctx.body = { access_token: 'never' };
            });
            expect(status).to.equal(500);
            expect(text).to.not.include('never');
        });
        it('does not answer with success when a failed statement has spoilt the transaction', async () => {
            const { status, kept } = await request(async (ctx) => {
                const id = randomUUID();
                await database.sql('web_probe').insert({ id });
                await database
                    .sql('web_probe')
                    .insert({ id })
                    .catch(() => undefined);
                ctx.body = { ok: true };
            });
            expect({ status, kept }).to.deep.equal({ status: 500, kept: false });
        });
        it('has no unit outside of its routes', async () => {
            const step = (ctx) => {
                expect(currentUnitOfWork()).to.equal(undefined);
                ctx.status = 500;
            };
            expect(await request(step, { applies: false })).to.include({ status: 500, kept: true });
        });
        it('answers 503 instead of any error that comes from a store that was away', async () => {
            const failing = (step) => {
                return async (ctx) => {
                    const unit = currentUnitOfWork();
                    if (unit)
                        unit.storeFailure = away();
                    await step(ctx);
                };
            };
            const redirect = (ctx) => {
                ctx.redirect('https://app.example/cb?error=server_error&state=x');
            };
            const formPost = answerWith(400, '<form><input type="hidden" name="error" value="server_error"/></form>');
            const cases = [
                ['server_error', answerWith(500, { error: 'server_error' })],
                ['invalid_grant', answerWith(400, { error: 'invalid_grant' })],
                ['redirect', redirect],
                ['form_post', formPost],
                ['success in a broken transaction', answerWith(200)],
            ];
            for (const [name, step] of cases) {
                const result = await request(failing(step));
                expect(result, name).to.include({ status: 503, kept: false });
                expect(result.headers.get('retry-after'), name).to.equal('2');
                expect(result.headers.has('location'), name).to.equal(false);
                expect(JSON.parse(result.text), name).to.include({ error: 'temporarily_unavailable' });
            }
        });
        it('leaves a success alone that wrote nothing', async () => {
            const env_2 = { stack: [], error: void 0, hasError: false };
            try {
                const unitOfWork = createUnitOfWork({ database, applies: () => true });
                const read = (ctx) => {
                    const unit = currentUnitOfWork();
                    if (unit)
                        unit.storeFailure = away();
                    ctx.body = { cached: true };
                };
                const edge = __addDisposableResource(env_2, await startEdge({
                    routes: {
                        '/read': (ctx) => unitOfWork(ctx, () => storeFailure(ctx, async () => void read(ctx))),
                    },
                }), true);
                expect((await fetch(`${edge.url}/read`)).status).to.equal(200);
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
    });
}
