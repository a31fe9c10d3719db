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
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.js';
import { createAuditLog } from '../../src/audit/index.js';
import { createKeys } from '../../src/keys/index.js';
import { createSqlKeyStore } from '../../src/keys/key-store-sql.js';
import { createSqlLeaseStore } from '../../src/keys/lease-store-sql.js';
import { SecretRing } from '../../src/shared/crypto.js';
import { silentLogger } from '../../src/shared/logger.js';
import { openPostgres } from '../../src/storage/database.js';
import { migrate } from '../../src/storage/migrate.js';
import { openPglite } from '../../src/storage/pglite.js';
export const secret = 'k'.repeat(40);
export const otherSecret = 'o'.repeat(40);
export const operator = { kind: 'operator' };
/** Compressed times: a rotation each 20 s, of which 8 s in the JWKS before signing. */
export const policy = {
    rotationSeconds: 20,
    publishSeconds: 8,
    retireSeconds: 10,
    jwksMaxAgeSeconds: 3,
    pollSeconds: 2,
    algorithms: ['ES256', 'EdDSA'],
};
const opened = new Map();
async function open(lane) {
    const env_1 = { stack: [], error: void 0, hasError: false };
    try {
        if (lane === 'pglite')
            return openPglite(undefined);
        const url = process.env.TEST_DATABASE_URL ?? '';
        const schema = `keys_${randomUUID().replaceAll('-', '')}`;
        const outer = __addDisposableResource(env_1, openPostgres(url, { poolSize: 1 }), true);
        await outer.sql.raw(`create schema ${schema}`);
        const inner = new URL(url);
        inner.searchParams.set('options', `-c search_path=${schema}`);
        return openPostgres(inner.href, { poolSize: 20 });
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
/** A database of our own, because there is one set of keys per database. It is empty each time. */
export async function keysDatabase(lane) {
    let database = opened.get(lane);
    if (!database) {
        database = open(lane).then(async (fresh) => {
            await migrate(fresh);
            return fresh;
        });
        opened.set(lane, database);
    }
    const ready = await database;
    for (const table of ['signing_key', 'lease', 'audit_event'])
        await ready.sql(table).delete();
    return ready;
}
after(async () => {
    for (const database of opened.values())
        await (await database)[Symbol.asyncDispose]();
    opened.clear();
});
/** One server process as far as keys go. */
export function node(database, clock, options = {}) {
    return createKeys({
        store: createSqlKeyStore(database),
        leases: createSqlLeaseStore(database, clock),
        secrets: new SecretRing(options.secrets ?? [secret]),
        clock,
        audit: createAuditLog(createSqlAuditStore(database), clock),
        policy: { ...policy, ...options.policy },
        logger: silentLogger(),
    });
}
/** The audit rows about one key, oldest first. */
export const auditOf = async (database, kid) => (await createSqlAuditStore(database).list({ subject: kid, limit: 50 })).reverse();
