import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { textOf } from '../support/direct-client.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'first-party.md'), 'utf8');
const run = promisify(execFile);

/** A shell block of the page by its name, continued lines joined. */
function block(name: string): string {
  const found = new RegExp(`^\`\`\`sh${name === '' ? '' : ` ${name}`}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1];
  if (found === undefined) throw new Error(`The page has no block ${name}.`);
  return found.replaceAll(/\\\n\s*/g, '').trim();
}

describe('the page about direct sign-in', () => {
  let server: RunningApp;
  let control: AsyncDisposable;
  let clientId: string;

  before(async () => {
    server = await startApp();
    control = await startControlSocket({
      dataDir: server.dataDir,
      domains: server.app.domains,
      logger: silentLogger(),
    });
  });
  after(async () => {
    await control?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  /** Runs a block as it stands; everything that it needs comes from the environment. */
  async function shell(name: string, env: Record<string, string>): Promise<Record<string, unknown>> {
    const variables = { PATH: process.env.PATH ?? '', ISSUER: server.url, CLIENT_ID: clientId, ...env };
    const { stdout } = await run('sh', ['-c', block(name)], { env: variables });
    return stdout === '' ? {} : JSON.parse(stdout);
  }

  it('marks an app with the command that it shows', async () => {
    const [, , ...words] = [...block('').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    const output: string[] = [];
    const code = await runCli([...words, '--json'], {
      env: { SALLYPORT_DATA_DIR: server.dataDir, NODE_ENV: 'test' },
      readStdin: async () => '',
      out: (text) => output.push(text),
      err: (text) => output.push(text),
    });
    expect(code, output.join('')).to.equal(0);
    const made = JSON.parse(output.join('')) as { id: string; directSignIn: boolean };
    expect(made.directSignIn).to.equal(true);
    clientId = made.id;
  });

  it('signs in, shows the second factor, refreshes and signs out with the commands that it shows', async () => {
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const env = { NAME: person.login, PASSWORD: person.password };
    const challenge = await shell('login', env);
    expect(challenge).to.include({ requires_2fa: true });
    const shown = { CHALLENGE_ID: textOf(challenge, 'challenge_id'), CODE: await code() };
    const first = await shell('second-factor', shown);
    const second = await shell('refresh', { REFRESH_TOKEN: textOf(first, 'refresh_token') });
    expect(second).to.include({ token_type: 'Bearer' });
    const last = { REFRESH_TOKEN: textOf(second, 'refresh_token') };
    expect(await shell('logout', last)).to.deep.equal({});
    expect(await shell('refresh', last)).to.include({ status: 401 });
  });

  it('gets and redeems a code with the commands that it shows', async () => {
    const person = await createPerson(server);
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
    const env = { NAME: person.login, PASSWORD: person.password, CODE_CHALLENGE: sha256(verifier) };
    const answer = await shell('challenge', env);
    const redeemed = { AUTHORIZATION_CODE: textOf(answer, 'authorization_code'), CODE_VERIFIER: verifier };
    expect(await shell('redeem', redeemed)).to.include({ token_type: 'Bearer', scope: 'openid profile' });
  });
});
