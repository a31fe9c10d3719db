/** Where the embedded server keeps its files. */
export interface PglitePlace {
  /** Directory of the cluster; undefined keeps everything in memory. */
  readonly dir: string | undefined;
}

/** What a thread with an embedded server is told. Bytes are messages of a client, whole ones. */
export type ToServer =
  | { readonly open: PglitePlace }
  | { readonly client: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly left: number }
  | 'close';

/** What it says: once that it is open or why not, then an answer to each piece of bytes, in their order. */
export type FromServer =
  /** With the program that it compiled, unless it was given one. */
  | { readonly opened: object | undefined }
  | { readonly refused: string }
  /** `dead` after an error that ended the server: what comes later would wait for ever. */
  | { readonly answer: Uint8Array; readonly dead: boolean };

const letter = (text: string): number => text.charCodeAt(0);
const [errorResponse, readyForQuery, severity] = [letter('E'), letter('Z'), letter('V')];

/** The messages of a server in these bytes: the type, and the body (PostgreSQL, "Message Formats"). */
function* messagesIn(bytes: Uint8Array): Generator<{ readonly type: number; readonly body: Buffer }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 5 <= buffer.length; ) {
    const end = at + 1 + buffer.readUInt32BE(at + 1);
    yield { type: buffer.readUInt8(at), body: buffer.subarray(at + 5, end) };
    at = end;
  }
}

/** Whether this error ends the server. PostgreSQL says how bad it is in a field that no language changes. */
function isDeadly(body: Buffer): boolean {
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at);
    if (body[at] === severity) return ['PANIC', 'FATAL'].includes(body.toString('latin1', at + 1, end));
    at = end + 1;
  }
  return false;
}

/** What an answer says about the server: that it died of it, and whether it is in a transaction, if it says so. */
export function stateAfter(answer: Uint8Array): { readonly dead: boolean; readonly idle: boolean | undefined } {
  let dead = false;
  let idle: boolean | undefined;
  for (const { type, body } of messagesIn(answer)) {
    if (type === errorResponse) dead ||= isDeadly(body);
    if (type === readyForQuery) idle = body[0] === letter('I');
  }
  return { dead, idle };
}

/** What a client hears that connects: it is let in, and may ask. */
export const greeting = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1');

/** A simple query with this text. */
export function simpleQuery(text: string): Buffer {
  const message = Buffer.alloc(6 + Buffer.byteLength(text));
  message.write('Q', 'latin1');
  message.writeUInt32BE(message.length - 1, 1);
  message.write(text, 5);
  return message;
}
