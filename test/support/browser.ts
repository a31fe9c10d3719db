import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type axeCore from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

interface Executable {
  readonly path: string;
  readonly env: Record<string, string>;
}

const nodeModules = resolve(import.meta.dirname, '../../node_modules');

const fontsConfig = (directory: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${directory}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${directory}/fonts-cache</cachedir>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;

/**
 * Unpacks the npm package's Chromium into a directory of its own and moves it into place in one step: the package
 * itself unpacks to /tmp/chromium and takes a half-written file of a parallel run for a finished one.
 */
async function unpack(directory: string): Promise<void> {
  const { default: packed } = await import('@sparticuz/chromium');
  const partial = `${directory}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const before = { TMPDIR: process.env.TMPDIR, AWS_EXECUTION_ENV: process.env.AWS_EXECUTION_ENV };
  // With this name set it also unpacks NSS and expat, which a bare Debian lacks.
  Object.assign(process.env, { TMPDIR: partial, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' });
  try {
    await packed.executablePath();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  writeFileSync(join(partial, 'fonts', 'fonts.conf'), fontsConfig(directory));
  try {
    renameSync(partial, directory);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(join(directory, 'chromium'))) throw error;
  }
}

async function packagedChromium(): Promise<Executable> {
  const manifest = JSON.parse(readFileSync(join(nodeModules, '@sparticuz/chromium/package.json'), 'utf8'));
  const directory = join(nodeModules, '.cache', `chromium-${manifest.version}`);
  if (!existsSync(join(directory, 'chromium'))) await unpack(directory);
  const libraries = [join(directory, 'al2023', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    path: join(directory, 'chromium'),
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: join(directory, 'fonts') },
  };
}

async function executable(): Promise<Executable> {
  if (process.env.TEST_BROWSER) return { path: process.env.TEST_BROWSER, env: {} };
  if (process.platform === 'linux' && process.arch === 'x64') return packagedChromium();
  if (existsSync('/usr/bin/chromium')) return { path: '/usr/bin/chromium', env: {} };
  throw new Error('No Chromium for this machine on npm. Install one and name it in TEST_BROWSER.');
}

async function launch(): Promise<Browser> {
  const { path, env } = await executable();
  const own = Object.fromEntries(Object.entries(process.env).filter((entry) => entry[1] !== undefined));
  return chromium.launch({ executablePath: path, args: flags, env: { ...own, ...env } as Record<string, string> });
}

let launched: Promise<Browser> | undefined;

/** The one browser of this run, started at the first call. Each test opens a context of its own in it. */
export function browser(): Promise<Browser> {
  launched ??= launch();
  return launched;
}

/** Closes what {@link browser} started; the root hooks call it. */
export async function closeBrowser(): Promise<void> {
  const running = await launched?.catch(() => undefined);
  launched = undefined;
  await running?.close();
}

const levels = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** For contexts that look at every page they open: with each document the script costs a third of what it does later. */
export const bringAxe = (context: BrowserContext): Promise<unknown> => context.addInitScript({ content: axeSource });

/**
 * What axe-core finds wrong on the page at WCAG 2.2 AA, one line per element; empty when nothing is.
 * The script is evaluated by the debugger, so the page's Content-Security-Policy stays in force.
 * @param only names of rules, when not all of them matter
 */
export async function axe(page: Page, only?: readonly string[]): Promise<string[]> {
  // Half a megabyte to parse, so once for each document.
  if (await page.evaluate('!globalThis.axe')) await page.evaluate(axeSource);
  const runOnly = only
    ? { type: 'rule' as const, values: [...only] }
    : { type: 'tag' as const, values: [...levels, 'best-practice'] };
  const violations = await page.evaluate(
    async (options) => {
      const { axe: checker } = globalThis as unknown as { axe: typeof axeCore };
      return (await checker.run(options)).violations;
    },
    { runOnly, resultTypes: ['violations' as const] },
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')} (${node.any[0]?.message ?? node.html})`),
  );
}
