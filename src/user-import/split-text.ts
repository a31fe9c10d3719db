import type { FileFormat } from './user-import.ts';

/** The file itself cannot be read on; `line` says where. */
export class BrokenFile extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = 'BrokenFile';
    this.line = line;
  }
}

/** A piece of text and the line on which it starts. */
export interface Piece {
  readonly line: number;
  readonly text: string;
}

/** Longest row, in UTF-16 units. */
export const longestRow = 64 * 1024;

const tooLong = (line: number): BrokenFile => new BrokenFile(line, `This row has more than ${longestRow / 1024} KiB.`);

/** Decodes UTF-8, without the mark that some programs put first. @throws BrokenFile when it is something else. */
export async function* decodeText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  try {
    for await (const chunk of chunks) {
      const text = decoder.decode(chunk, { stream: true });
      yield text;
      line += text.split('\n').length - 1;
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new BrokenFile(line, 'The file is not UTF-8 from here on.');
    throw error;
  }
}

/** The lines of a text that are not empty. */
export async function* splitLines(parts: AsyncIterable<string>): AsyncGenerator<Piece> {
  let [rest, line] = ['', 1];
  for await (const part of parts) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      if (text.trim() !== '') yield { line, text };
      line += 1;
    }
    if (rest.length > longestRow) throw tooLong(line);
  }
  if (rest.trim() !== '') yield { line, text: rest };
}

/** What may stand before the first element: the list itself, or an object whose first member is the list. */
const opening = /^\s*(?:\{\s*"\w+"\s*:\s*)?\[/;

/** Where the reader of a list is. */
class ListReader {
  line = 1;
  #state: 'before' | 'inside' | 'after' = 'before';
  #head = '';
  #element = '';
  #startLine = 1;
  #depth = 0;
  #inText = false;
  #escaped = false;

  get finished(): boolean {
    return this.#state === 'after';
  }

  /** The elements that end in this part. */
  *read(part: string): Generator<Piece> {
    const text = this.#state === 'before' ? this.#open(part) : part;
    for (const char of text) {
      if (this.#state === 'inside') yield* this.#take(char);
      if (char === '\n') this.line += 1;
    }
  }

  #open(part: string): string {
    this.#head += part;
    const [found] = opening.exec(this.#head) ?? [];
    if (found === undefined) {
      if (this.#head.length > 1000) throw new BrokenFile(1, 'This is no JSON list of users.');
      return '';
    }
    this.#state = 'inside';
    this.line += found.split('\n').length - 1;
    return this.#head.slice(found.length);
  }

  *#take(char: string): Generator<Piece> {
    if (!this.#inText && this.#depth === 0 && (char === ',' || char === ']')) {
      const text = this.#element.trim();
      this.#element = '';
      if (text !== '') yield { line: this.#startLine, text };
      if (char === ']') this.#state = 'after';
      return;
    }
    if (this.#element === '') {
      if (/\s/.test(char)) return;
      this.#startLine = this.line;
    }
    this.#element += char;
    if (this.#element.length > longestRow) throw tooLong(this.#startLine);
    this.#nest(char);
  }

  #nest(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (this.#inText && char === '\\') this.#escaped = true;
    else if (char === '"') this.#inText = !this.#inText;
    else if (!this.#inText && (char === '{' || char === '[')) this.#depth += 1;
    else if (!this.#inText && (char === '}' || char === ']')) this.#depth -= 1;
  }
}

/** The elements of one JSON list, each as its text; the list itself is never whole in memory. */
export async function* splitList(parts: AsyncIterable<string>): AsyncGenerator<Piece> {
  const reader = new ListReader();
  for await (const part of parts) yield* reader.read(part);
  if (!reader.finished) throw new BrokenFile(reader.line, 'The JSON list has no end: the file was cut off.');
}

/** The format that a file's name tells, if it does. */
export const formatOf = (fileName: string): FileFormat | undefined => {
  if (/\.(?:jsonl|ndjson)$/i.test(fileName)) return 'jsonl';
  return /\.json$/i.test(fileName) ? 'json' : /\.csv$/i.test(fileName) ? 'csv' : undefined;
};
