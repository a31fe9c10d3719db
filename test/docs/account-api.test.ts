import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { apiScopes } from '../../src/web/api/resource.ts';
import { createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { tokenOf } from '../web/api-caller.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'account-api.md'), 'utf8');
const run = promisify(execFile);
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .replaceAll(/\\\n\s*/g, '')
    .trim()
    .split('\n'),
);

describe('the page about the account API', () => {
  let server: RunningApp;
  before(async () => {
    server = await startApp();
  });
  after(() => server[Symbol.asyncDispose]());

  it('shows commands that work as they stand, one after the other', async () => {
    const person = await createPerson(server);
    let env: Record<string, string> = {
      PATH: process.env.PATH ?? '',
      ISSUER: server.url,
      ACCESS_TOKEN: await tokenOf(server, person),
      PASSWORD: person.password,
      NEW_PASSWORD: 'seven quiet lamps over water',
    };
    // The one that ends its own token comes last.
    const order = [...commands].sort(
      (one, other) => Number(one.includes('/password')) - Number(other.includes('/password')),
    );
    expect(order).to.have.length(5);
    for (const command of order) {
      const { stdout } = await run('sh', ['-c', `${command} -sS -w '\n%{http_code}'`], { env });
      expect(stdout.trim().split('\n').at(-1), `${command}\n${stdout}`).to.match(/^20[04]$/);
      const etag = /^etag: (.*)$/im.exec(stdout)?.[1]?.trim();
      if (etag !== undefined) env = { ...env, ETAG: etag };
    }
    const account = await server.app.domains.accounts.find(person.account.id);
    expect(account?.profile).to.include({ nickname: 'Ada' }).and.to.not.have.property('zoneinfo');
    expect(await server.app.domains.credentials.verifyPassword(person.account.id, env.NEW_PASSWORD ?? '')).to.equal(
      true,
    );
  });

  it('names every scope', () => {
    for (const scope of Object.keys(apiScopes)) expect(page).to.include(`\`${scope}\``);
  });
});
