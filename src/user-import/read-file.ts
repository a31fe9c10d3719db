import { Readable } from 'node:stream';
import { BrokenFile, decodeText, longestRow, type Piece, splitLines, splitList } from './split-text.ts';
import type { FileFormat, FileRow } from './user-import.ts';

/** What a row can be before it has its number. */
type Content = { readonly record: Readonly<Record<string, unknown>> } | { readonly problem: string };

const hasNul = (value: unknown): boolean => JSON.stringify(value).includes('\\u0000');

function contentOf(value: unknown): Content {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'This is not an object.' };
  return hasNul(value) ? { problem: 'It has a NUL character.' } : { record: value as Record<string, unknown> };
}

async function* readPieces(pieces: AsyncIterable<Piece>): AsyncGenerator<Content & { readonly line: number }> {
  for await (const { line, text } of pieces) {
    try {
      yield { line, ...contentOf(JSON.parse(text)) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      yield { line, problem: 'This is not JSON.' };
    }
  }
}

interface CsvRow {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function headerOf({ record: names }: CsvRow): readonly string[] {
  const trimmed = names.map((name) => name.trim());
  if (trimmed.includes('') || new Set(trimmed).size < trimmed.length) {
    throw new BrokenFile(1, 'The first line names the columns, each once.');
  }
  return trimmed;
}

/** Rows of RFC 4180 under a line with their names. A quote that never ends breaks the file, since nobody knows where. */
async function* readCsv(text: AsyncIterable<string>): AsyncGenerator<Content & { readonly line: number }> {
  // Loaded where a file is read only.
  const { CsvError, parse } = await import('csv-parse');
  const parser = Readable.from(text).pipe(
    parse({ info: true, relax_column_count: true, skip_empty_lines: true, max_record_size: longestRow }),
  );
  let header: readonly string[] | undefined;
  let line = 1;
  try {
    for await (const row of parser as AsyncIterable<CsvRow>) {
      const start = line;
      line = row.info.lines + 1;
      if (!header) {
        header = headerOf(row);
        continue;
      }
      const { record } = row;
      const columns = `It has ${record.length} columns where the first line has ${header.length}.`;
      if (record.length !== header.length) yield { line: start, problem: columns };
      else yield { line: start, ...contentOf(Object.fromEntries(header.map((name, index) => [name, record[index]]))) };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Rows before it may not have come out yet; the parser knows better where it is.
    throw new BrokenFile(Number(/at line (\d+)/.exec(error.message)?.[1] ?? line), error.message);
  }
}

/**
 * Reads a file of users row by row, in memory that does not grow with it: a JSON list, or an object whose only member
 * is one; JSON lines; or CSV with a header. @throws BrokenFile where the file cannot be read on.
 */
export async function* readUserFile(chunks: AsyncIterable<Uint8Array>, format: FileFormat): AsyncGenerator<FileRow> {
  const text = decodeText(chunks);
  const rows = format === 'csv' ? readCsv(text) : readPieces(format === 'json' ? splitList(text) : splitLines(text));
  let seq = 0;
  for await (const row of rows) {
    seq += 1;
    yield { seq, ...row };
  }
}
