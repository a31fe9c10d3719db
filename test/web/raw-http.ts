import { connect } from 'node:net';

/** One parsed answer of a raw exchange. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawExchange {
  readonly answers: RawAnswer[];
  /** Whether the server closed the connection. */
  readonly closed: boolean;
}

function parseOne(text: string, head: boolean): { answer: RawAnswer; rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(statusLine.split(' ')[1]);
  const length = head ? 0 : Number(headers.get('content-length') ?? 0);
  const rest = text.slice(end + 4);
  if (status === 100) return { answer: { status, headers, body: '' }, rest };
  if (rest.length < length) return undefined;
  return { answer: { status, headers, body: rest.slice(0, length) }, rest: rest.slice(length) };
}

/**
 * Sends bytes as they are and reads until `expected` answers came or the server closed the connection.
 * Rejects when neither happens within `patience` milliseconds: then the connection hangs.
 */
export function exchange(
  port: number,
  pieces: readonly (string | Buffer)[],
  { expected = 1, patience = 5000 }: { readonly expected?: number; readonly patience?: number } = {},
): Promise<RawExchange> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const answers: RawAnswer[] = [];
    const head = String(pieces[0]).startsWith('HEAD ');
    let text = '';
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers, closed });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`The connection hangs after ${answers.length} answers; pending: ${JSON.stringify(text)}`));
    }, patience);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let parsed = parseOne(text, head); parsed; parsed = parseOne(text, head)) {
        answers.push(parsed.answer);
        text = parsed.rest;
      }
      if (answers.length >= expected && answers.at(-1)?.headers.get('connection') !== 'close') finish(false);
    });
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    for (const piece of pieces) socket.write(piece);
  });
}

/** Frames data as one chunk of a chunked body. */
export const chunk = (data: string): string => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
