import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDomains } from '../../src/app/domains.js';
import { startControlSocket } from '../../src/cli/control-socket.js';
import { runCli } from '../../src/cli/run-cli.js';
import { loadConfig } from '../../src/config/load.js';
import { systemClock } from '../../src/shared/clock.js';
import { silentLogger } from '../../src/shared/logger.js';
import { testDatabase } from '../support/database.js';
/** The environment of a command line on a data directory of its own. */
export const environment = (dataDir, more = {}) => ({
    NODE_ENV: 'test',
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
    SALLYPORT_ARGON2_MEMORY_KIB: '7168',
    SALLYPORT_ARGON2_PASSES: '1',
    ...more,
});
/** Runs one command line in this process. */
export async function cli(env, words, stdin = '') {
    let out = '';
    let err = '';
    const code = await runCli(words, {
        env,
        readStdin: async () => stdin,
        out: (text) => {
            out += text;
        },
        err: (text) => {
            err += text;
        },
    });
    return { code, out, err, json: () => JSON.parse(out) };
}
/** A running server as far as the command line sees one: domains on the shared test database behind a control socket. */
export async function startFakeServer() {
    const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
    const env = environment(dataDir);
    const config = loadConfig(env);
    const domains = createDomains(config, await testDatabase(), systemClock, silentLogger());
    const socket = await startControlSocket({ dataDir, domains, logger: silentLogger() });
    return {
        dataDir,
        config,
        domains,
        run: (words, stdin) => cli(env, words, stdin),
        async [Symbol.asyncDispose]() {
            await socket[Symbol.asyncDispose]();
            await domains.hasher[Symbol.asyncDispose]();
            rmSync(dataDir, { recursive: true, force: true });
        },
    };
}
