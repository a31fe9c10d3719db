import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Middleware } from 'koa';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const compressors = { br: promisify(brotliCompress), gzip: promisify(gzip) };
const oneYear = 31_536_000;
const oneDay = 86_400;

interface Asset {
  readonly url: string;
  readonly type: string;
  readonly body: Buffer;
  readonly packed: Map<string, Promise<Buffer>>;
}

/** The files of `views/assets`, under names that change with their content. */
export interface Assets {
  readonly middleware: Middleware;
  /**
   * The path of a file, `/assets/<name>.<hash>.<ext>`.
   * @throws RangeError when there is no such file
   */
  url(name: string): string;
}

function load(directory: string): Map<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const name of readdirSync(directory)) {
    const extension = extname(name);
    const type = types[extension];
    if (!type) continue;
    const body = readFileSync(join(directory, name));
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
    const url = `/assets/${name.slice(0, -extension.length)}.${hash}${extension}`;
    assets.set(name, { url, type, body, packed: new Map() });
  }
  return assets;
}

function pack(asset: Asset, encoding: 'br' | 'gzip'): Promise<Buffer> {
  let packed = asset.packed.get(encoding);
  if (!packed) {
    packed = compressors[encoding](asset.body);
    asset.packed.set(encoding, packed);
  }
  return packed;
}

/**
 * Reads every file of `directory` once and serves exactly those: a request names a known path or goes on to the next
 * middleware, so no path is ever resolved on disk. Also answers `/favicon.svg` and `/favicon.ico`.
 */
export function createAssets(directory: string): Assets {
  const assets = load(directory);
  const byPath = new Map([...assets.values()].map((asset) => [asset.url, { asset, maxAge: oneYear }]));
  const favicon = assets.get('favicon.svg');
  if (favicon) {
    for (const path of ['/favicon.svg', '/favicon.ico']) byPath.set(path, { asset: favicon, maxAge: oneDay });
  }

  return {
    url(name) {
      const asset = assets.get(name);
      if (!asset) throw new RangeError(`There is no asset ${name}.`);
      return asset.url;
    },
    async middleware(ctx, next) {
      const found = ctx.method === 'GET' || ctx.method === 'HEAD' ? byPath.get(ctx.path) : undefined;
      if (!found) return next();
      const { asset, maxAge } = found;
      ctx.type = asset.type;
      ctx.set('Cache-Control', `public, max-age=${maxAge}${maxAge === oneYear ? ', immutable' : ''}`);
      ctx.vary('Accept-Encoding');
      // Browsers name gzip first without preferring it, so each is asked for by itself.
      const encoding = (['br', 'gzip'] as const).find((name) => ctx.acceptsEncodings(name) === name);
      if (encoding) {
        ctx.set('Content-Encoding', encoding);
        ctx.body = await pack(asset, encoding);
      } else {
        ctx.body = asset.body;
      }
    },
  };
}
