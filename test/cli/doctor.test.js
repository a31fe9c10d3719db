import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createDomains } from '../../src/app/domains.js';
import { loadConfig } from '../../src/config/load.js';
import { systemClock } from '../../src/shared/clock.js';
import { silentLogger } from '../../src/shared/logger.js';
import { migrate } from '../../src/storage/migrate.js';
import { openPglite } from '../../src/storage/pglite.js';
import { cli, environment } from './command-line.js';
describe('doctor', () => {
    let dataDir;
    beforeEach(() => {
        dataDir = mkdtempSync(join(tmpdir(), 'sallyport-doctor-'));
    });
    afterEach(() => {
        rmSync(dataDir, { recursive: true, force: true });
    });
    const look = async (more = {}) => {
        const run = await cli(environment(dataDir, more), ['doctor', '--json']);
        const checks = run.json();
        return { code: run.code, of: (name) => checks.find((check) => check.name === name) };
    };
    const prepare = async () => {
        const database = await openPglite(dataDir);
        await migrate(database);
        const domains = createDomains(loadConfig(environment(dataDir)), database, systemClock, silentLogger());
        await domains.keys.prepare();
        await domains.hasher[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
    };
    it('makes nothing in an empty directory', async () => {
        const { code, of } = await look();
        expect(code).to.equal(0);
        expect(of('database')).to.deep.include({ status: 'ok', detail: 'embedded, will be made at the first start' });
        expect(of('issuer').status).to.equal('warn');
    });
    it('looks into the embedded database', async () => {
        await prepare();
        const { code, of } = await look();
        expect(code).to.equal(0);
        expect(of('database').detail).to.match(/^PostgreSQL 18.* \(embedded\)$/);
        expect(of('schema')).to.deep.include({ status: 'ok' });
        expect(of('keys').detail).to.match(/^signing with .*ES256/);
    });
    it('notices secrets that do not open the keys, without making new ones', async () => {
        await prepare();
        const { code, of } = await look({ SALLYPORT_SECRETS: 'another-secret-another-secret-another-secret' });
        expect(code).to.equal(1);
        expect(of('keys')).to.deep.include({ status: 'fail' });
        expect(of('keys').fix).to.contain('SALLYPORT_SECRETS');
        expect((await look()).of('keys').status).to.equal('ok');
    });
    it('notices a database, a Redis and a schema that are not as they should be', async () => {
        const away = await look({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', REDIS_URL: 'redis://127.0.0.1:1' });
        expect(away.code).to.equal(1);
        expect([away.of('database').status, away.of('redis').status]).to.deep.equal(['fail', 'fail']);
        await (await openPglite(dataDir))[Symbol.asyncDispose]();
        expect((await look()).of('schema').status).to.equal('warn');
        expect((await look({ SALLYPORT_AUTO_MIGRATE: 'false' })).of('schema')).to.deep.include({
            status: 'fail',
            fix: 'Run `sallyport migrate`.',
        });
    });
    it('notices a directory that others can open', async () => {
        chmodSync(dataDir, 0o755);
        expect((await look()).of('data directory')).to.deep.include({ status: 'warn', fix: `chmod 700 ${dataDir}` });
    });
    it('asks the issuer who it is', async () => {
        let named = '';
        const server = createServer((_, response) => response.end(JSON.stringify({ issuer: named })));
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const issuer = `http://127.0.0.1:${server.address().port}`;
        try {
            named = issuer;
            expect((await look({ SALLYPORT_ISSUER: issuer })).of('issuer').status).to.equal('ok');
            named = 'https://evil.example';
            expect((await look({ SALLYPORT_ISSUER: issuer })).of('issuer').detail).to.contain('names the issuer https://evil.example');
        }
        finally {
            server.close();
            server.closeAllConnections();
        }
    });
    it('lists every problem of the configuration', async () => {
        const run = await cli({ NODE_ENV: 'production', SALLYPORT_DATA_DIR: dataDir }, ['doctor']);
        expect(run.code).to.equal(1);
        expect(run.out).to.match(/FAIL {2}configuration: SALLYPORT_ISSUER.*\nFAIL {2}configuration: SALLYPORT_SECRETS/);
    });
    it('looks at the servers of this run', async function () {
        const { TEST_DATABASE_URL, TEST_REDIS_URL } = process.env;
        if (!TEST_DATABASE_URL || !TEST_REDIS_URL)
            this.skip();
        const { of } = await look({ DATABASE_URL: TEST_DATABASE_URL, REDIS_URL: TEST_REDIS_URL });
        expect(of('database')).to.deep.include({ status: 'ok' }).and.have.property('detail').that.contains('(server)');
        expect(of('clock').status).to.equal('ok');
        expect(of('redis').detail).to.match(/^Redis \d/);
    });
});
