import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { codeOf } from '../shared/errors.ts';

/** Version of the installed PGlite. */
export function pgliteVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  return (JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')) as { version: string }).version;
}

/** Where the empty cluster of this PGlite version is kept; `make-template.ts` writes it. */
export const templateFile = (): string =>
  join(import.meta.dirname, '..', '..', 'migrations', `pglite-${pgliteVersion()}.tar.zst`);

/** The empty cluster as a tar archive, or undefined when this release has none for the installed PGlite. */
export function readTemplate(): Buffer | undefined {
  try {
    return zstdDecompressSync(readFileSync(templateFile()));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export interface TarEntry {
  readonly name: string;
  readonly directory: boolean;
  readonly body: Buffer;
}

const field = (header: Buffer, start: number, length: number): string =>
  header.toString('latin1', start, start + length).replace(/[\0 ].*$/s, '');

/** The entries of a ustar archive (POSIX.1-1988) with short names, which is all that the template holds. */
export function* tarEntries(archive: Buffer): Generator<TarEntry> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const header = archive.subarray(at, at + 512);
    const size = Number.parseInt(field(header, 124, 12) || '0', 8);
    yield {
      name: field(header, 0, 100).replace(/^\/+/, ''),
      directory: field(header, 156, 1) === '5',
      body: archive.subarray(at + 512, at + 512 + size),
    };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

async function syncDirectory(dir: string): Promise<void> {
  // Windows has no fsync for directories; there the rename is all there is.
  const handle = await open(dir, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** Unpacks the template as `dir`, on disk before it returns; a crash leaves no `dir` rather than half of one. */
export async function unpackTemplate(archive: Buffer, dir: string): Promise<void> {
  const building = `${dir}.tmp`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true, mode: 0o700 });
  const directories = [building];
  const writes: Promise<void>[] = [];
  for (const entry of tarEntries(archive)) {
    const path = join(building, entry.name);
    if (entry.directory) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      directories.push(path);
    } else {
      writes.push(writeDurably(path, entry.body));
      if (writes.length >= 64) await Promise.all(writes.splice(0));
    }
  }
  await Promise.all(writes);
  await Promise.all(directories.map(syncDirectory));
  await rename(building, dir);
  await syncDirectory(dirname(dir));
}

async function writeDurably(path: string, body: Buffer): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  await handle.writeFile(body);
  await handle.sync();
  await handle.close();
}
