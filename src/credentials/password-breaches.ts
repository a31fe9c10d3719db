import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** Knows passwords that were found in breaches. */
export interface BreachSource {
  /** Which kind it is, for the audit log. */
  readonly kind: 'range' | 'file';
  /** How often a password was found. @throws Error when that cannot be said; nobody is refused for it. */
  count(password: string): Promise<number>;
}

const digest = (password: string): string => createHash('sha1').update(password).digest('hex').toUpperCase();

const prefixLength = 5;
const longestAnswer = 1024 * 1024;

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, length] = ['', 0];
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > longestAnswer) throw new Error('The range service answered with too much.');
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function countIn(text: string, suffix: string): number {
  let found = 0;
  const lines = text.trim().split(/\r?\n/);
  for (const line of lines) {
    const [, tail, count] = /^([0-9A-F]{35}):(\d{1,15})$/i.exec(line) ?? [];
    if (tail === undefined) throw new Error('The range service answered with something else than a range.');
    if (tail.toUpperCase() === suffix) found = Number(count);
  }
  return found;
}

/**
 * Asks a service that speaks the range protocol of Have I Been Pwned. It is told five of the forty digits of a SHA-1
 * hash and answers with every suffix it knows, padded, so that it learns neither the password nor whether it was found.
 * @param base address that the five digits are appended to
 * @param timeout milliseconds for the whole answer
 */
export function createRangeSource(base: string, timeout = 1000): BreachSource {
  const root = base.endsWith('/') ? base : `${base}/`;
  return {
    kind: 'range',
    async count(password) {
      const hash = digest(password);
      const response = await fetch(`${root}${hash.slice(0, prefixLength)}`, {
        headers: { 'add-padding': 'true', 'user-agent': 'Sallyport', accept: 'text/plain' },
        redirect: 'error',
        signal: AbortSignal.timeout(timeout),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`The range service answered with status ${response.status}.`);
      }
      return countIn(await readText(response), hash.slice(prefixLength));
    },
  };
}

const longestLine = 128;

/** The first whole line at or after an offset, and where it starts; undefined behind the last. */
async function lineAfter(file: FileHandle, offset: number): Promise<{ start: number; text: string } | undefined> {
  // From one byte earlier, so that a line which starts right at the offset is not skipped.
  const from = Math.max(0, offset - 1);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * longestLine), 0, 2 * longestLine, from);
  const text = buffer.toString('latin1', 0, bytesRead);
  const begin = offset === 0 ? 0 : text.indexOf('\n') + 1;
  if (offset > 0 && begin === 0 && bytesRead === 2 * longestLine)
    throw new Error('The breach file has a line too long.');
  const line = /^[^\n]*/.exec(text.slice(begin))?.[0] ?? '';
  return line === '' || (offset > 0 && begin === 0) ? undefined : { start: from + begin, text: line };
}

async function countInFile(file: FileHandle, hash: string): Promise<number> {
  let [low, high] = [0, (await file.stat()).size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineAfter(file, middle);
    if (!line || line.start >= high) {
      high = middle;
      continue;
    }
    const [, known, count] = /^([0-9A-F]{16,40}):(\d{1,15})\s*$/i.exec(line.text) ?? [];
    if (known === undefined) throw new Error('The breach file has a line that is not HASH:COUNT.');
    const wanted = hash.slice(0, known.length);
    if (known.toUpperCase() === wanted) return Number(count);
    if (known.toUpperCase() < wanted) low = line.start + line.text.length + 1;
    else high = middle;
  }
  return 0;
}

/**
 * Looks into a file of lines `HASH:COUNT`, sorted by hash: SHA-1 in hexadecimal, or its first 16 digits and more. It is
 * searched on disk, so it may be as large as the whole corpus, and opened each time, so it may be replaced.
 */
export const createFileSource = (path: string): BreachSource => ({
  kind: 'file',
  async count(password) {
    const file = await open(path);
    try {
      return await countInFile(file, digest(password));
    } finally {
      await file.close();
    }
  },
});

/** The source that an address or the path of a file names. */
export const createBreachSource = (place: string): BreachSource =>
  /^https?:\/\//i.test(place) ? createRangeSource(place) : createFileSource(place);
