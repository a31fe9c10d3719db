import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { BrokenFile, type FileFormat, type FileRow, readUserFile } from '../user-import/index.ts';
import { UsageError } from './parse-arguments.ts';

const partRows = 100;
const partBytes = 256 * 1024;

const chunksOf = (path: string): AsyncIterable<Uint8Array> => createReadStream(path, { highWaterMark: 64 * 1024 });

/** SHA-256 of a file, base64url. @throws UsageError when it cannot be read. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of chunksOf(path)) hash.update(chunk);
  } catch (error) {
    throw new UsageError(`${path} cannot be read.`, { cause: error });
  }
  return hash.digest('base64url');
}

/**
 * The rows of a file after row `done`, in parts that fit into one message to the server.
 * @throws UsageError naming the line from which the file cannot be read.
 */
export async function* partsOf(path: string, format: FileFormat, done: number): AsyncGenerator<FileRow[]> {
  let [part, bytes]: [FileRow[], number] = [[], 0];
  try {
    for await (const row of readUserFile(chunksOf(path), format)) {
      if (row.seq <= done) continue;
      const size = Buffer.byteLength(JSON.stringify(row));
      if (part.length === partRows || bytes + size > partBytes) {
        if (part.length > 0) yield part;
        [part, bytes] = [[], 0];
      }
      part.push(row);
      bytes += size;
    }
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    throw new UsageError(`Line ${error.line}: ${error.message}`, { cause: error });
  }
  if (part.length > 0) yield part;
}
