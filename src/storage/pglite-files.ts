import fs from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** The part of Emscripten that is needed to give its file system on Node the `fsync` that it lacks. */
interface EmscriptenModule {
  readonly NODEFS: { stream_ops: { fsync?: (stream: { nfd?: number | null }) => number } };
  readonly FS: { ErrnoError: new (errno: number) => Error };
}

type InitOptions = Parameters<NodeFS['init']>[1];

const ioError = 29;

/**
 * PGlite's files on disk, with real fsyncs. As it comes, PGlite acknowledges commits that are only in the kernel's
 * memory: `fsync` is off, and switching it on calls a stub. Patched before the engine starts, so recovery is covered too.
 */
export class DurableFiles extends NodeFS {
  override async init(pglite: PGlite, options: InitOptions): ReturnType<NodeFS['init']> {
    const initialized = await super.init(pglite, options);
    initialized.emscriptenOpts.preRun?.push((module: unknown) => {
      const { NODEFS, FS } = module as EmscriptenModule;
      NODEFS.stream_ops.fsync = ({ nfd }) => {
        if (typeof nfd !== 'number') return 0;
        try {
          fs.fsyncSync(nfd);
        } catch {
          throw new FS.ErrnoError(ioError);
        }
        return 0;
      };
    });
    return initialized;
  }
}

/** Sets of the embedded server. Without `-F` it asks for fsyncs; `fsync` is the method that reaches {@link DurableFiles}. */
export function serverParameters(defaults: readonly string[], durable: boolean): string[] {
  const settings = ['shared_buffers=16MB', 'min_wal_size=32MB', 'max_wal_size=64MB'];
  if (durable) settings.push('fsync=on', 'wal_sync_method=fsync');
  return [...defaults.filter((flag) => flag !== '-F' || !durable), ...settings.flatMap((setting) => ['-c', setting])];
}
