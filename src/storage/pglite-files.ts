import fs from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

interface Stream {
  readonly nfd?: number | null;
  readonly path: string;
}

type Operations = Record<string, (...args: never[]) => unknown>;

/** The part of Emscripten that is needed to give its file system on Node the `fsync` that it lacks. */
interface EmscriptenModule {
  readonly NODEFS: {
    readonly node_ops: Operations;
    readonly stream_ops: Operations & { fsync?: (stream: Stream) => number };
  };
  readonly FS: { ErrnoError: new (errno: number) => Error };
}

type InitOptions = Parameters<NodeFS['init']>[1];

const ioError = 29;

/** What changes nothing on the disk. Whatever else Emscripten can do, or learns to do, counts as a change. */
const reading = new Set('open close read llseek mmap dup getattr lookup readdir readlink statfs'.split(' '));

function watchChanges(operations: Operations, changed: () => void): void {
  for (const [name, operation] of Object.entries(operations)) {
    if (reading.has(name)) continue;
    operations[name] = (...args) => {
      changed();
      return operation.apply(operations, args);
    };
  }
}

/**
 * Fsyncs that reach the disk. Recovery asks for each file of the cluster twice in a row, thousands of times: what was
 * synced since the last change of anything is on the disk already, since nobody else has these files.
 */
function addFsync({ NODEFS, FS }: EmscriptenModule): void {
  const synced = new Set<string>();
  watchChanges(NODEFS.node_ops, () => synced.clear());
  watchChanges(NODEFS.stream_ops, () => synced.clear());
  NODEFS.stream_ops.fsync = ({ nfd, path }) => {
    if (typeof nfd !== 'number' || synced.has(path)) return 0;
    try {
      fs.fsyncSync(nfd);
    } catch {
      throw new FS.ErrnoError(ioError);
    }
    synced.add(path);
    return 0;
  };
}

/**
 * PGlite's files on disk, with real fsyncs. As it comes, PGlite acknowledges commits that are only in the kernel's
 * memory: `fsync` is off, and switching it on calls a stub. Patched before the engine starts, so recovery is covered too.
 */
export class DurableFiles extends NodeFS {
  override async init(pglite: PGlite, options: InitOptions): ReturnType<NodeFS['init']> {
    const initialized = await super.init(pglite, options);
    initialized.emscriptenOpts.preRun?.push((module: unknown) => addFsync(module as EmscriptenModule));
    return initialized;
  }
}

/** Sets of the embedded server. Without `-F` it asks for fsyncs; `fsync` is the method that reaches {@link DurableFiles}. */
export function serverParameters(defaults: readonly string[], durable: boolean): string[] {
  const settings = ['shared_buffers=16MB', 'min_wal_size=32MB', 'max_wal_size=64MB'];
  if (durable) settings.push('fsync=on', 'wal_sync_method=fsync');
  return [...defaults.filter((flag) => flag !== '-F' || !durable), ...settings.flatMap((setting) => ['-c', setting])];
}
