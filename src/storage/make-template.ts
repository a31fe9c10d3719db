// Writes the empty cluster that a first start unpacks: `node src/storage/make-template.ts`, after each upgrade of PGlite.
// test/storage/pglite-template.test.ts compares it with a cluster made on the spot.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { templateFile } from './pglite-template.ts';

function tarHeader(name: string, size: number, type: '0' | '5'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write(type === '5' ? '0000700' : '0000600', 100);
  header.write('0000000', 108);
  header.write('0000000', 116);
  header.write(size.toString(8).padStart(11, '0'), 124);
  header.write('00000000000', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(sum.toString(8).padStart(6, '0'), 148);
  header.writeUInt8(0, 154);
  return header;
}

/** Packs a directory, in the order of its names and without times, owners and the files of a running server. */
function tar(dir: string): Buffer {
  const parts: Buffer[] = [];
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, name: relative(dir, join(entry.parentPath, entry.name)) }))
    .filter(({ name }) => name !== 'postmaster.pid' && name !== 'postmaster.opts')
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const { entry, name } of entries) {
    if (entry.isDirectory()) {
      parts.push(tarHeader(`${name}/`, 0, '5'));
    } else {
      const body = readFileSync(join(dir, name));
      parts.push(tarHeader(name, body.length, '0'), body, Buffer.alloc((512 - (body.length % 512)) % 512));
    }
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

async function makeTemplate(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-template-'));
  try {
    const settings = ['wal_recycle=off', 'min_wal_size=32MB', 'max_wal_size=32MB'];
    const startParams = [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])];
    const pglite = await PGlite.create(join(dir, 'cluster'), { startParams });
    // Leaves initdb's own log behind: the first segment is gone and the next one is nearly all zeros.
    for (let round = 0; round < 2; round += 1) await pglite.exec('select pg_switch_wal(); checkpoint;');
    await pglite.close();
    const packed = zstdCompressSync(tar(join(dir, 'cluster')), {
      params: { [constants.ZSTD_c_compressionLevel]: 22, [constants.ZSTD_c_windowLog]: 26 },
    });
    writeFileSync(templateFile(), packed);
    process.stdout.write(`${templateFile()}: ${packed.length} bytes\n`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

await makeTemplate();
