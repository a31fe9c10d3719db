import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const stages = dockerfile.split(/^FROM /m).slice(1);
const copies = (stage = ''): string[][] =>
  [...stage.matchAll(/^COPY (?!--)(.+)$/gm)].map(([, words = '']) => words.split(' '));

describe('the image', () => {
  let dir: string;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-image-'));
  });

  after(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it('is made of what .dockerignore lets through', () => {
    const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    expect(ignore.find((line) => !line.startsWith('#'))).to.equal('*');
    const sources = new Set(stages.flatMap(copies).flatMap((words) => words.slice(0, -1)));
    for (const source of sources) expect(ignore).to.include(`!${source}`);
  });

  it('runs as an ordinary user and says whether it lives', () => {
    const last = stages.at(-1) ?? '';
    expect(last)
      .to.match(/^USER node$/m)
      .and.match(/^HEALTHCHECK /m);
    expect(last.indexOf('USER node')).to.be.below(last.indexOf('CMD ["node", "dist/main.js"]'));
  });

  it('has every file that the built program needs', () => {
    for (const [source = '', target = ''] of copies(stages.at(-1))) {
      cpSync(join(root, source), join(dir, target === './' ? source : target), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    const built = spawnSync('npm', ['run', '-s', 'build', '--', '--outDir', join(dir, 'dist')], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(built.status, built.stdout + built.stderr).to.equal(0);

    const env = { PATH: process.env.PATH, NODE_ENV: 'production', SALLYPORT_DATA_DIR: join(dir, 'data') };
    const run = (...words: string[]) => spawnSync(process.execPath, words, { cwd: dir, env, encoding: 'utf8' });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(run('dist/cli/main.js', 'version').stdout).to.contain(`sallyport ${version} `);

    const refused = run('dist/main.js');
    expect(refused.status).to.be.oneOf([1, 2]);
    expect(refused.stderr).to.contain('SALLYPORT_ISSUER').and.contain('SALLYPORT_SECRETS');

    Object.assign(env, { SALLYPORT_ISSUER: 'https://id.example.com', SALLYPORT_SECRETS: 'x'.repeat(40) });
    const migrated = run('dist/cli/main.js', 'migrate', '--json');
    expect(migrated.stderr).to.equal('Making the embedded database.\n');
    expect(JSON.parse(migrated.stdout).applied).not.to.deep.equal([]);
    const made = run('dist/cli/main.js', 'users', 'create', '--email', 'alex@example.com', '--json');
    expect(made.status, made.stderr).to.equal(0);
  }).timeout(120_000);
});
