import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '..', '..');

/** What a process of its own writes, one line for each call; its log has standard output. */
function linesOf(pretty: boolean, calls: string): string[] {
  const source = `
    import { EventEmitter } from 'node:events';
    import { createAccessWriter } from './src/web/http/access-log.ts';
    import { createLogs } from './src/shared/logger.ts';
    const { logger, access } = createLogs({ level: 'info', pretty: ${pretty} });
    const answer = (facts) => {
      const res = Object.assign(new EventEmitter(), { statusCode: 421, writableFinished: true });
      createAccessWriter({ logger: access })(res, () => ({ method: 'GET', route: 'token', ip: '::1', ...facts }));
      res.emit('close');
    };
    ${calls}
  `;
  const node = ['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', source];
  const { stdout, stderr, status } = spawnSync(process.execPath, node, { cwd: root, encoding: 'utf8' });
  expect(status, stderr).to.equal(0);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('the log', () => {
  for (const pretty of [true, false]) {
    const kind = pretty ? 'for a terminal' : 'of JSON lines';

    it(`${kind} says why a request was refused`, () => {
      const [line] = linesOf(pretty, `answer({ refusal: { code: 'misdirected', reason: 'evil.example' } });`);
      expect(line).to.include('"code":"misdirected"').and.include('"reason":"evil.example"');
    });

    it(`${kind} cuts codes and other secrets, whatever object they come in`, () => {
      const lines = linesOf(
        pretty,
        `for (const name of ['code', 'password', 'client_secret', 'refresh_token', 'set-cookie']) {
          const secret = { [name]: 'canary' };
          logger.info(secret, 'flat');
          logger.info({ body: secret, kept: 'visible' }, 'nested');
          logger.info({ req: { body: secret } }, 'deeper');
          logger.info({ refusal: secret }, 'in a refusal');
        }`,
      );
      expect(lines).to.have.length(20);
      expect(lines.join('\n')).not.to.include('canary');
      expect(lines.filter((line) => line.includes('[cut]'))).to.have.length(20);
      expect(lines.filter((line) => line.includes('visible'))).to.have.length(5);
    });

    it(`${kind} keeps the order of both kinds of lines`, () => {
      const lines = linesOf(
        pretty,
        `for (let turn = 0; turn < 50; turn += 1) {
          logger.info({ turn }, 'one');
          answer({ requestId: String(turn) });
        }`,
      );
      const order = lines.map((line) => (line.includes('one') ? 'one' : 'request'));
      expect(order).to.deep.equal(Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'one' : 'request')));
    });
  }
});
