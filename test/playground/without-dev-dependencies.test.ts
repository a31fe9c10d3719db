import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const root = join(import.meta.dirname, '..', '..');
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};

/** Makes the development dependencies as absent as `npm ci --omit=dev` does, then loads the modules. */
const script = (modules: readonly string[]): string => `
import { registerHooks } from 'node:module';
const absent = new Set(${JSON.stringify(Object.keys(devDependencies))});
registerHooks({
  resolve(specifier, context, next) {
    if (absent.has(specifier)) throw new Error(\`\${specifier} is a development dependency\`);
    return next(specifier, context);
  },
});
for (const module of ${JSON.stringify(modules)}) await import(module);
`;

const load = (...modules: string[]) =>
  promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script(modules)], { cwd: root });

describe('production without development dependencies', () => {
  it('loads the server', async function loads() {
    this.timeout(60_000);
    await load('./src/app/serve.ts', './src/playground/index.ts');
  });

  it('would notice one', async function notices() {
    this.timeout(60_000);
    const reason = await load('./src/playground/relying-party.ts').catch((error: unknown) => String(error));
    expect(reason).to.include('openid-client is a development dependency');
  });
});
